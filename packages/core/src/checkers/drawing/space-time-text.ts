import { assert } from '../../base/assert.ts';
import { arrangeSpaceTime, type DrawnMessage, type MemberState, type SpaceTimeDrawing } from './space-time.ts';
import { ascii, columnsOf, cut, durationWords, pad, plural, printable } from './words.ts';

export interface SpaceTimeText extends SpaceTimeDrawing {
  /** At least 40; 80 when not given. */
  readonly widthColumns?: number;
  readonly ascii?: boolean;
}

interface Strokes {
  readonly lanes: { readonly [state in MemberState]: string };
  readonly line: string;
  readonly right: string;
  readonly left: string;
  readonly lost: string;
}

const UNICODE: Strokes = {
  lanes: { follower: '│', candidate: '┊', leader: '║', down: ' ', paused: '·' },
  line: '─',
  right: '▶',
  left: '◀',
  lost: '╳',
};

const ASCII: Strokes = {
  lanes: { follower: '|', candidate: ':', leader: '#', down: ' ', paused: '.' },
  line: '-',
  right: '>',
  left: '<',
  lost: 'x',
};

const DEFAULT_MAX_MOMENTS = 60;

/**
 * Messages for a terminal: time runs down, a column for each member, a line for each arrival, loss and change. A lane is
 * `│` for a follower, `┊` for a candidate, `║` for a leader, `·` while paused, and blank while down.
 */
export function drawSpaceTimeText(drawing: SpaceTimeText): string {
  const { members, widthColumns = 80 } = drawing;
  assert(widthColumns >= 40, 'a text drawing needs 40 columns');
  const strokes = drawing.ascii === true ? ASCII : UNICODE;
  const plain = (text: string): string => (drawing.ascii === true ? ascii(printable(text)) : printable(text));
  const { moments, leftOut, states } = arrangeSpaceTime(drawing, drawing.maxMoments ?? DEFAULT_MAX_MOMENTS);
  const times = moments.map(({ atUs }) => plain(durationWords(atUs)));
  const timeColumns = Math.max(4, ...times.map(columnsOf));
  const pitch = Math.max(4, Math.min(10, Math.floor((widthColumns * 0.5) / Math.max(members.length, 1))));
  const lanesColumns = pitch * Math.max(members.length - 1, 0) + 3;
  const labelColumns = widthColumns - timeColumns - 2 - lanesColumns - 2;
  const names = members.map((member) => pad(`m${member}`, pitch)).join('');
  const lines = [`${' '.repeat(timeColumns + 2)}${names}`];
  if (leftOut > 0) lines.push(plain(`${' '.repeat(timeColumns)}  ⋮ ${plural(leftOut, 'earlier line')} left out`));
  const now = new Map(states);
  for (const [i, moment] of moments.entries()) {
    if (moment.type === 'change') now.set(moment.change.member, moment.change.state);
    const row = members.map((member) => pad(strokes.lanes[now.get(member) ?? 'follower'], pitch)).join('');
    const isChange = moment.type === 'change';
    const lanes = isChange ? row : arrow(Array.from(row), moment.message, drawing, pitch, strokes);
    const label = isChange ? `m${moment.change.member} ${moment.change.label}` : labelOf(moment.message);
    const time = pad(times[i] ?? '', timeColumns);
    lines.push(`${time}  ${pad(lanes.trimEnd(), lanesColumns)}  ${cut(plain(label), labelColumns)}`);
  }
  const text = lines.map((line) => `${line.trimEnd()}\n`).join('');
  return drawing.ascii === true ? text.replaceAll('…', '~') : text;
}

function labelOf({ label, sentUs, receivedUs }: DrawnMessage): string {
  return receivedUs === null ? `${label}, lost` : `${label} (${durationWords(receivedUs - sentUs)})`;
}

function arrow(
  row: string[],
  { from, to, receivedUs }: DrawnMessage,
  { members }: SpaceTimeDrawing,
  pitch: number,
  strokes: Strokes,
): string {
  const [start, end] = [members.indexOf(from) * pitch, members.indexOf(to) * pitch];
  assert(start >= 0 && end >= 0 && start !== end, 'a message goes from one drawn member to another');
  const step = end > start ? 1 : -1;
  // A lost message gets half of the way.
  const last = receivedUs === null ? start + step * Math.max(2, Math.abs(end - start) >> 1) : end - step;
  for (let column = start + step; column !== last; column += step) row[column] = strokes.line;
  row[last] = receivedUs === null ? strokes.lost : step > 0 ? strokes.right : strokes.left;
  return row.join('');
}
