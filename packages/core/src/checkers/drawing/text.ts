import { assert } from '../../base/assert.ts';
import { type Arrangement, arrange } from './arrangement.ts';
import type { DrawnOperation, FaultSpan, HistoryDrawing, LeaderSpan } from './history-drawing.ts';
import { ascii, columnsOf, cut, durationWords, pad, plural, printable, sentenceOf, wordsOf, wrap } from './words.ts';

export interface TextDrawing extends HistoryDrawing {
  /** At least 40; 80 when not given. */
  readonly widthColumns?: number;
  /** Only characters that every terminal and log has. */
  readonly ascii?: boolean;
}

interface Strokes {
  readonly ok: Stroke;
  readonly fail: Stroke;
  readonly info: Stroke;
  readonly violation: Stroke;
  readonly fault: Stroke;
  readonly open: Stroke;
  readonly axis: Stroke;
  readonly arrow: string;
}

/** First, middle and last column of a bar, and the bar of one column. */
type Stroke = readonly [string, string, string, string];

const UNICODE: Strokes = {
  ok: ['├', '─', '┤', '│'],
  fail: ['├', '─', '╳', '╳'],
  info: ['├', '╌', '▸', '▸'],
  violation: ['╞', '═', '╡', '╪'],
  fault: ['┣', '━', '┫', '◆'],
  open: ['┣', '━', '▸', '▸'],
  axis: ['─', '─', '▸', '▸'],
  arrow: '→',
};

const ASCII: Strokes = {
  ok: ['|', '-', '|', '|'],
  fail: ['|', '-', 'x', 'x'],
  info: ['|', '.', '>', '>'],
  violation: ['[', '=', ']', '#'],
  fault: ['<', '#', '>', '*'],
  open: ['<', '#', '#', '#'],
  axis: ['-', '-', '>', '>'],
  arrow: '>',
};

const DEFAULT_MAX_OPERATIONS = 40;
const LAST_OF_ORDER = 8;

/**
 * A history for a terminal: a line for each operation in order of invocation, with a bar from its invocation to its
 * return, faults above, and an arrow at the operation that cannot be placed. Lines end without spaces.
 */
export function drawText(drawing: TextDrawing): string {
  const widthColumns = drawing.widthColumns ?? 80;
  assert(widthColumns >= 40, 'a text drawing needs 40 columns');
  const arrangement = arrange(drawing, drawing.maxOperations ?? DEFAULT_MAX_OPERATIONS);
  const picture = new TextPicture(drawing, arrangement, widthColumns);
  const lines = [...picture.spans(), ...picture.timeLine(), ...picture.operations(), ...picture.remarks()];
  const text = lines.map((line) => `${line.trimEnd()}\n`).join('');
  // What was cut after it had been made ASCII.
  return drawing.ascii === true ? text.replaceAll('…', '~') : text;
}

class TextPicture {
  readonly #drawing: TextDrawing;
  readonly #arrangement: Arrangement;
  readonly #widthColumns: number;
  readonly #strokes: Strokes;
  readonly #processColumns: number;
  readonly #labelColumns: number;
  readonly #barColumns: number;
  /** The rank of the last column: beyond the last moment, if anything lasts longer. */
  readonly #lastRank: number;

  constructor(drawing: TextDrawing, arrangement: Arrangement, widthColumns: number) {
    this.#drawing = drawing;
    this.#arrangement = arrangement;
    this.#widthColumns = widthColumns;
    this.#strokes = drawing.ascii === true ? ASCII : UNICODE;
    let process = 0;
    let label = 10;
    let isOpen = [...arrangement.faults, ...arrangement.leaders].some(({ toUs }) => toUs === null);
    for (const row of arrangement.rows) {
      if (row.type === 'gap') continue;
      isOpen ||= row.operation.outcome === 'info';
      process = Math.max(process, `p${row.operation.process}`.length);
      label = Math.max(label, columnsOf(this.#plain(sentenceOf(row.operation))));
    }
    for (const span of arrangement.faults) label = Math.max(label, columnsOf(this.#plain(span.label)) - process - 1);
    this.#lastRank = arrangement.axis.length - (isOpen ? 0 : 1);
    this.#processColumns = process;
    this.#labelColumns = Math.min(label, Math.floor(widthColumns * 0.4) - process);
    this.#barColumns = widthColumns - 2 - process - 1 - this.#labelColumns - 2;
  }

  spans(): string[] {
    const { faults, leaders } = this.#arrangement;
    const leads = leaders.map((span) => this.#span(`m${span.member} leads, term ${span.term}`, span));
    return [...leads, ...faults.map((span) => this.#span(span.label, span))];
  }

  /** From the first to the last moment, with their times when these are known. */
  timeLine(): string[] {
    const { axis } = this.#arrangement;
    if (axis.length === 0) return ['  no operations'];
    const [first, last] = [axis.timeUs(0), axis.timeUs(axis.length - 1)];
    const start = first === null ? 'time ' : `${this.#plain(durationWords(first))} `;
    const end = last === null ? '' : ` ${this.#plain(durationWords(last))}`;
    const stroke = bar(0, this.#barColumns - start.length - end.length - 1, this.#strokes.axis);
    return [`${' '.repeat(this.#widthColumns - this.#barColumns)}${start}${stroke}${end}`];
  }

  operations(): string[] {
    const lines: string[] = [];
    for (const row of this.#arrangement.rows) {
      if (row.type === 'gap') {
        lines.push(this.#plain(`  ⋮ ${plural(row.count, 'operation')} left out`));
        continue;
      }
      const { operation, isViolation } = row;
      const process = `p${operation.process}`.padEnd(this.#processColumns);
      const mark = isViolation ? this.#strokes.arrow : ' ';
      lines.push(`${mark} ${process} ${this.#label(operation)}  ${this.#bar(operation, isViolation)}`);
      if (isViolation) lines.push(...this.#paragraph(this.#drawing.violation?.sentence ?? '', ' '.repeat(4)));
    }
    return lines;
  }

  /** What is not in the picture, the longest legal order, and the notes. */
  remarks(): string[] {
    const { otherKeys, faultsLeftOut } = this.#arrangement;
    const remarks: string[] = [];
    if (otherKeys > 0) remarks.push(`${plural(otherKeys, 'operation')} on other keys left out.`);
    if (faultsLeftOut > 0) remarks.push(`${plural(faultsLeftOut, 'fault')} outside this picture left out.`);
    const order = this.#drawing.violation?.longestOrder ?? [];
    if (order.length > 0) {
      const last = order.slice(-LAST_OF_ORDER).map((each) => `${sentenceOf(each)} (p${each.process})`);
      const before = order.length > last.length ? `${order.length - last.length} earlier, ` : '';
      remarks.push(`Longest legal order, ${plural(order.length, 'operation')}: ${before}${last.join(', ')}.`);
    }
    const paragraphs = [...remarks, ...(this.#drawing.notes ?? [])].flatMap((text) => this.#paragraph(text, '  '));
    return paragraphs.length === 0 ? [] : ['', ...paragraphs];
  }

  #label(operation: DrawnOperation): string {
    const { deed, ending } = wordsOf(operation);
    const after = ending === '' ? '' : ` ${ending}`;
    return pad(cut(this.#plain(deed), this.#labelColumns - after.length) + after, this.#labelColumns);
  }

  #bar(operation: DrawnOperation, isViolation: boolean): string {
    const { axis } = this.#arrangement;
    const from = this.#column(axis.ofEvent(operation.invokedAt));
    const to = operation.outcome === 'info' ? this.#barColumns - 1 : this.#column(axis.ofEvent(operation.completedAt));
    return bar(from, to, isViolation ? this.#strokes.violation : this.#strokes[operation.outcome]);
  }

  #span(label: string, span: FaultSpan | LeaderSpan): string {
    const { axis } = this.#arrangement;
    const columns = this.#processColumns + 1 + this.#labelColumns;
    const from = this.#column(axis.ofBoundary(span.fromUs));
    const to = span.toUs === null ? this.#barColumns - 1 : this.#column(axis.ofBoundary(span.toUs));
    const isMoment = span.toUs === span.fromUs;
    const stroke = span.toUs === null ? this.#strokes.open : this.#strokes.fault;
    const name = pad(cut(this.#plain(label), columns), columns);
    // A span that is shorter than a column is still not a moment.
    return `  ${name}  ${bar(from, isMoment ? from : Math.max(to, Math.min(from + 1, this.#barColumns - 1)), stroke)}`;
  }

  #column(rank: number): number {
    if (rank < 0 || this.#lastRank <= 0) return 0;
    return Math.round(Math.min(rank / this.#lastRank, 1) * (this.#barColumns - 1));
  }

  #paragraph(text: string, indent: string): string[] {
    return wrap(this.#plain(text), this.#widthColumns - indent.length).map((line) => indent + line);
  }

  #plain(text: string): string {
    const line = printable(text);
    return this.#drawing.ascii === true ? ascii(line) : line;
  }
}

function bar(from: number, to: number, [first, middle, last, single]: Stroke): string {
  const before = ' '.repeat(from);
  return from >= to ? before + single : before + first + middle.repeat(to - from - 1) + last;
}
