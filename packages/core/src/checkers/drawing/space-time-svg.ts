import { defined } from '../../base/assert.ts';
import { escapeHtml } from './page.ts';
import { arrangeSpaceTime, type MemberState, type Moment, type SpaceTimeDrawing } from './space-time.ts';
import { cut, durationWords, plural, printable } from './words.ts';

const DEFAULT_MAX_MOMENTS = 200;
const LEFT_PX = 110;
const LANE_PX = 170;
const ROW_PX = 26;
const TOP_PX = 58;
const LABEL_COLUMNS = 21;

const STYLE = `svg{--page:#fff;--ink:#1c2430;--soft:#5d6876;--line:#c3cad3;--lead:#d9a514;--vote:#7a52c2;--bad:#d3263a;--pause:#b7791f}
@media (prefers-color-scheme:dark){svg{--page:#12161c;--ink:#e7ebf0;--soft:#98a4b3;--line:#45505e;--lead:#f0c243;--vote:#b095ee;--bad:#ff6b78;--pause:#e0a84a}}
.page{fill:var(--page)}text{font:12px ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:var(--soft);paint-order:stroke;stroke:var(--page);stroke-width:4;stroke-linejoin:round}
.name{font-size:14px;font-weight:700;fill:var(--ink);text-anchor:middle}.m{text-anchor:middle}.e{text-anchor:end}.change{fill:var(--ink);font-weight:600}
.lane{fill:none;stroke:var(--line);stroke-width:2}.lane.leader{stroke:var(--lead);stroke-width:7;stroke-linecap:round}.lane.candidate{stroke:var(--vote);stroke-width:4;stroke-dasharray:3 4}
.lane.down{stroke:none}.lane.paused{stroke:var(--pause);stroke-width:4;stroke-dasharray:1 6;stroke-linecap:round}
.arrow{stroke:var(--ink);stroke-width:1.4;fill:none}.head{fill:var(--ink)}.loss .arrow{stroke:var(--bad);stroke-dasharray:4 3}.cross{stroke:var(--bad);stroke-width:2}.loss text{fill:var(--bad)}
.dot{stroke:var(--page);stroke-width:2;fill:var(--soft)}.dot.leader{fill:var(--lead)}.dot.candidate{fill:var(--vote)}.dot.down{fill:var(--bad)}.dot.paused{fill:var(--pause)}`;

interface Place {
  readonly x: number;
  readonly y: number;
}

/**
 * The messages of a run as a picture that stands alone: time runs down in even steps, a lane for each member, an arrow for
 * each message from where it was sent to where it arrived.
 */
export function drawSpaceTimeSvg(drawing: SpaceTimeDrawing): string {
  const { members } = drawing;
  const { moments, leftOut, states } = arrangeSpaceTime(drawing, drawing.maxMoments ?? DEFAULT_MAX_MOMENTS);
  const rows = rowsOf(moments);
  const xOf = (member: number): number => LEFT_PX + (members.indexOf(member) + 0.5) * LANE_PX;
  const widthPx = LEFT_PX + members.length * LANE_PX + 90;
  const heightPx = TOP_PX + rows.count * ROW_PX + 24;
  const names = members.map((member) => `<text class="name" x="${xOf(member)}" y="30">m${member}</text>`);
  const words = rows.timesUs.map(durationWords);
  const times = words.map((time, row) => {
    return time === words[row - 1] ? '' : `<text class="e" x="${LEFT_PX - 14}" y="${yOf(row) + 4}">${time}</text>`;
  });
  const lanes = members.map((member) => laneOf(member, xOf(member), moments, rows, states.get(member) ?? 'follower'));
  const marks = moments.map((moment, i) => {
    const row = defined(rows.ofMoment[i], 'every moment has a row');
    if (moment.type === 'change') return changeMark(moment, { x: xOf(moment.change.member), y: yOf(row) });
    const { from, to } = moment.message;
    const sent = rows.ofSending.get(sendingOf(moment.message)) ?? -1;
    return messageMark(moment, { x: xOf(from), y: yOf(sent) }, { x: xOf(to), y: yOf(row) });
  });
  const omitted = leftOut === 0 ? '' : `<text x="16" y="30">${plural(leftOut, 'earlier line')}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${widthPx} ${heightPx}" width="${widthPx}" height="${heightPx}" role="img" aria-label="Messages between ${plural(members.length, 'member')}; time runs down">
<style>${STYLE}</style>
<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto"><path class="head" d="M0 1L10 5L0 9z"/></marker></defs>
<rect class="page" width="${widthPx}" height="${heightPx}"/>
${[omitted, ...lanes, ...times, ...names, ...marks].join('\n')}
</svg>
`;
}

interface Rows {
  readonly count: number;
  readonly timesUs: readonly number[];
  readonly ofMoment: readonly number[];
  readonly ofSending: ReadonlyMap<string, number>;
}

/** A row for each moment, and one for each sending; what a member sends at once shares one. */
function rowsOf(moments: readonly Moment[]): Rows {
  const firstUs = moments[0]?.atUs ?? 0;
  const wanted: { atUs: number; order: number; moment: number; sending: string }[] = [];
  const sendings = new Set<string>();
  for (const [i, moment] of moments.entries()) {
    if (moment.type !== 'change' && moment.message.sentUs >= firstUs) {
      const sending = sendingOf(moment.message);
      if (!sendings.has(sending)) wanted.push({ atUs: moment.message.sentUs, order: 2, moment: -1, sending });
      sendings.add(sending);
    }
    const isInstant = moment.type === 'loss' || (moment.type === 'arrival' && moment.message.sentUs === moment.atUs);
    wanted.push({ atUs: moment.atUs, order: isInstant ? 3 : 0, moment: i, sending: '' });
  }
  wanted.sort((a, b) => a.atUs - b.atUs || a.order - b.order);
  const ofMoment: number[] = [];
  const ofSending = new Map<string, number>();
  for (const [row, { moment, sending }] of wanted.entries()) {
    if (moment >= 0) ofMoment[moment] = row;
    else ofSending.set(sending, row);
  }
  return { count: wanted.length, timesUs: wanted.map(({ atUs }) => atUs), ofMoment, ofSending };
}

function sendingOf({ from, sentUs }: { from: number; sentUs: number }): string {
  return `${from} ${sentUs}`;
}

function laneOf(member: number, x: number, moments: readonly Moment[], rows: Rows, before: MemberState): string {
  let state = before;
  let fromY = TOP_PX - 18;
  let paths = '';
  const until = (y: number): void => {
    paths += `<path class="lane ${state}" d="M${x} ${fromY}V${y}"/>`;
    fromY = y;
  };
  for (const [i, moment] of moments.entries()) {
    if (moment.type !== 'change' || moment.change.member !== member) continue;
    until(yOf(rows.ofMoment[i] ?? 0));
    state = moment.change.state;
  }
  until(yOf(rows.count));
  return paths;
}

function changeMark({ atUs, change }: Extract<Moment, { type: 'change' }>, { x, y }: Place): string {
  const words = `m${change.member} ${change.label}, at ${durationWords(atUs)}`;
  const label = safe(cut(printable(change.label), LABEL_COLUMNS));
  return `<g><title>${safe(words)}</title><circle class="dot ${change.state}" cx="${x}" cy="${y}" r="6"/><text class="change" x="${x + 12}" y="${y + 4}">${label}</text></g>`;
}

function messageMark(moment: Exclude<Moment, { type: 'change' }>, from: Place, to: Place): string {
  const { message, type } = moment;
  const step = to.x > from.x ? 1 : -1;
  const fate =
    message.receivedUs === null ? 'lost' : `arrived ${durationWords(message.receivedUs - message.sentUs)} later`;
  const words = `${message.label}: m${message.from} to m${message.to}, sent at ${durationWords(message.sentUs)}, ${fate}`;
  const start = { x: from.x + 6 * step, y: from.y };
  const end =
    type === 'loss' ? { x: rounded(from.x + 0.55 * LANE_PX * step), y: to.y } : { x: to.x - 7 * step, y: to.y };
  const isLost = type === 'loss';
  const cross = isLost ? `<path class="cross" d="M${end.x - 5} ${end.y - 5}l10 10m0 -10l-10 10"/>` : '';
  // Under the end of the arrow, which comes from above; beyond it where nothing goes on.
  const [away, dy] = isLost ? [10, 4] : [-8, 14];
  const anchor = step > 0 !== isLost ? ' class="e"' : '';
  const label = safe(cut(printable(message.label), LABEL_COLUMNS));
  const text = `<text${anchor} x="${end.x + away * step}" y="${end.y + dy}">${label}</text>`;
  return `<g class="${type}"><title>${safe(words)}</title><path class="arrow" d="M${start.x} ${start.y}L${end.x} ${end.y}"${isLost ? '' : ' marker-end="url(#head)"'}/>${cross}${text}</g>`;
}

function yOf(row: number): number {
  return TOP_PX + row * ROW_PX;
}

function safe(text: string): string {
  return escapeHtml(printable(text));
}

function rounded(px: number): number {
  return Math.round(px * 10) / 10;
}
