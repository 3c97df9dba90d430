import { assert, defined } from '../../base/assert.ts';
import { type Arrangement, type Axis, arrange } from './arrangement.ts';
import type { DrawnOperation, HistoryDrawing } from './history-drawing.ts';
import { type Lane, lanesOf, middleOf, type Span, TRACK_PX } from './lanes.ts';
import { escapeHtml, page } from './page.ts';
import { drawText } from './text.ts';
import { columnsOf, cut, durationWords, plural, printable, sentenceOf, wordsOf } from './words.ts';

const DEFAULT_MAX_OPERATIONS = 300;
const COLUMN_PX = 7.3;
const NAMES_PX = 104;
const LEFT_PX = 16;
/** Room for the time of the last moment. */
const RIGHT_PX = 52;
const LEAST_WIDTH_PX = 960;
const LEAST_STEP_PX = 14;
const LABEL_COLUMNS = 22;
const LONGEST_LISTED_ORDER = 200;

/** What the picture draws on top of its lanes, in order of time, so that the arrow keys follow time. */
interface Mark {
  readonly rank: number;
  readonly svg: string;
}

/**
 * A history as one file of HTML that fetches nothing: a lane for each client with its operations, lanes for members
 * with what struck them and when they led, the violation and the longest legal order. Keys and values are only text.
 */
export function drawHtml(drawing: HistoryDrawing): string {
  const picture = new Picture(drawing, arrange(drawing, drawing.maxOperations ?? DEFAULT_MAX_OPERATIONS));
  const { violation, notes = [], faults = [] } = drawing;
  const title = violation === undefined ? 'A history' : 'No order explains this history';
  const processes = new Set(drawing.operations.map(({ process }) => process)).size;
  const about = [
    plural(drawing.operations.length, 'operation'),
    processes === 1 ? '1 process' : `${processes} processes`,
    plural(faults.length, 'fault'),
  ];
  const sentence = violation === undefined ? '' : `<p class="verdict">${safe(violation.sentence)}</p>\n`;
  const text = drawText({ ...drawing, widthColumns: 100 });
  const body = `<h1>${title}</h1>
<p class="soft">${about.join(', ')}. ${picture.leftOut()}Time goes to the right in even steps; what matters is the order.</p>
${sentence}<div class="bar">${picture.jump()}<span><i class="read"></i>read</span><span><i class="write"></i>write</span>
<span><i class="other"></i>other</span><span><i class="fail"></i>failed: it did not happen</span><span><i class="info"></i>nobody knows</span></div>
<main class="card">${picture.names()}<div>${picture.svg()}</div></main>
<p id="detail" aria-live="polite">Point at an operation or a fault, or walk through them with the arrow keys.</p>
${picture.order()}${notes.map((note) => `<p>${safe(note)}</p>\n`).join('')}<details><summary>The same as text</summary><pre>${escapeHtml(text)}</pre></details>`;
  return page(title, body);
}

class Picture {
  readonly #drawing: HistoryDrawing;
  readonly #axis: Axis;
  readonly #operations: readonly DrawnOperation[];
  readonly #lanes: readonly Lane[];
  readonly #xs: readonly number[];
  readonly #bottomPx: number;
  /** Places in the longest legal order, from 1, by invocation. */
  readonly #places = new Map<number, number>();

  constructor(drawing: HistoryDrawing, arrangement: Arrangement) {
    this.#drawing = drawing;
    this.#axis = arrangement.axis;
    this.#operations = arrangement.rows.flatMap((row) => (row.type === 'operation' ? [row.operation] : []));
    this.#lanes = lanesOf(arrangement, this.#operations);
    this.#bottomPx = this.#lanes.reduce((bottom, { topPx, heightPx }) => Math.max(bottom, topPx + heightPx), 40);
    for (const [i, { invokedAt }] of (drawing.violation?.longestOrder ?? []).entries())
      this.#places.set(invokedAt, i + 1);
    this.#xs = this.#layOut();
  }

  leftOut(): string {
    const drawn = this.#operations.length;
    return drawn === this.#drawing.operations.length ? '' : `The ${drawn} that say most are drawn. `;
  }

  jump(): string {
    const at = this.#drawing.violation?.operation.invokedAt;
    return at === undefined ? '' : `<button id="jump" data-go="operation-${at}">Jump to the first error</button>`;
  }

  names(): string {
    const texts = this.#lanes.map(
      (lane) => `<text x="16" y="${middleOf(lane) + 4}">${safe(cut(lane.name, 11))}</text>`,
    );
    return `<svg class="names" width="${NAMES_PX}" height="${this.#bottomPx + 34}" aria-hidden="true">${texts.join('')}</svg>`;
  }

  svg(): string {
    const widthPx = this.#x(this.#axis.length) + RIGHT_PX;
    const hatch =
      '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V6" stroke="currentColor" stroke-width="2"/></pattern>';
    const lanes = this.#lanes.map((lane) => `<path class="lane" d="M0 ${middleOf(lane)}H${widthPx}"/>`);
    const marks = [...this.#spanMarks(), ...this.#operations.map((operation) => this.#operationMark(operation))];
    const ordered = marks.toSorted((a, b) => a.rank - b.rank).map(({ svg }) => svg);
    const first = ordered.map((svg, i) => (i === 0 ? svg.replace('tabindex="-1"', 'tabindex="0"') : svg));
    return `<svg width="${widthPx}" height="${this.#bottomPx + 34}" role="group" aria-label="Operations and faults in order of time">
<defs>${hatch}</defs>${lanes.join('')}${this.#timeAxis()}${this.#guides()}
${first.join('\n')}
</svg>`;
  }

  order(): string {
    const order = this.#drawing.violation?.longestOrder ?? [];
    if (order.length === 0) return '';
    const skipped = Math.max(0, order.length - LONGEST_LISTED_ORDER);
    const drawn = new Set(this.#operations.map(({ invokedAt }) => invokedAt));
    const items = order.slice(skipped).map((operation) => {
      const words = `${safe(sentenceOf(operation))} <span class="soft">p${operation.process}</span>`;
      return drawn.has(operation.invokedAt)
        ? `<li><button data-go="operation-${operation.invokedAt}">${words}</button></li>`
        : `<li>${words}</li>`;
    });
    const start = skipped === 0 ? '' : ` start="${skipped + 1}"`;
    return `<h2>The longest legal order</h2><p class="soft">Up to here one order explains every answer; nothing can come next that explains the marked one.</p>
<ol${start}>${items.join('\n')}</ol>\n`;
  }

  /** Steps as small as the labels allow: a label must fit between its bar's first and last moment. */
  #layOut(): number[] {
    const wanted = new Map<number, { from: number; px: number }[]>();
    const want = (from: number, to: number, label: string): void => {
      const end = Math.min(Math.max(to, from + 1), this.#axis.length);
      wanted.set(end, [...(wanted.get(end) ?? []), { from: Math.max(from, 0), px: columnsOf(label) * COLUMN_PX + 18 }]);
    };
    for (const operation of this.#operations)
      want(this.#axis.ofEvent(operation.invokedAt), this.#endOf(operation), labelOf(operation));
    for (const { content } of this.#lanes) {
      if (content.type === 'process') continue;
      for (const span of content.tracks.flat()) {
        if (span.fromUs !== span.toUs)
          want(this.#axis.ofBoundary(span.fromUs), this.#endOfSpan(span), cut(printable(span.label), 12));
      }
    }
    const xs = [LEFT_PX];
    for (let rank = 1; rank <= this.#axis.length; rank++) {
      let x = defined(xs[rank - 1], 'ranks are laid out in order') + LEAST_STEP_PX;
      for (const { from, px } of wanted.get(rank) ?? [])
        x = Math.max(x, defined(xs[from], 'a bar ends after it begins') + px);
      xs.push(x);
    }
    const stretch = Math.max(1, LEAST_WIDTH_PX / defined(xs.at(-1), 'there is a first moment'));
    return xs.map((x) => rounded(LEFT_PX + (x - LEFT_PX) * stretch));
  }

  #x(rank: number): number {
    return defined(this.#xs[Math.min(Math.max(rank, 0), this.#axis.length)], 'every moment has its place');
  }

  /** A process goes on after an operation whose outcome nobody knows; its bar ends there, and only a trace remains. */
  #endOf({ process, invokedAt, completedAt, outcome }: DrawnOperation): number {
    if (outcome !== 'info') return this.#axis.ofEvent(completedAt);
    const next = this.#operations.find((other) => other.process === process && other.invokedAt > invokedAt);
    return next === undefined ? this.#axis.length : this.#axis.ofEvent(next.invokedAt);
  }

  #endOfSpan({ toUs }: Span): number {
    return toUs === null ? this.#axis.length : this.#axis.ofBoundary(toUs);
  }

  #timeAxis(): string {
    const yPx = this.#bottomPx;
    let ticks = '';
    let freePx = 0;
    for (let rank = 0; rank < this.#axis.length; rank++) {
      const timeUs = this.#axis.timeUs(rank);
      const x = this.#x(rank);
      if (timeUs === null || x < freePx) continue;
      const words = durationWords(timeUs);
      ticks += `<path class="rule" d="M${x} 8V${yPx + 4}"/><text x="${x}" y="${yPx + 20}">${words}</text>`;
      freePx = x + Math.max(110, words.length * COLUMN_PX + 24);
    }
    return `<g class="time">${ticks}</g>`;
  }

  #guides(): string {
    const operation = this.#drawing.violation?.operation;
    if (operation === undefined) return '';
    const xs = [this.#x(this.#axis.ofEvent(operation.invokedAt)), this.#x(this.#endOf(operation))];
    return xs.map((x) => `<path class="guide" d="M${x} 8V${this.#bottomPx}"/>`).join('');
  }

  #operationMark(operation: DrawnOperation): Mark {
    const lane = this.#lanes.find(({ content }) => content.type === 'process' && content.process === operation.process);
    assert(lane !== undefined, 'every process has a lane');
    const isViolation = operation.invokedAt === this.#drawing.violation?.operation.invokedAt;
    const rank = this.#axis.ofEvent(operation.invokedAt);
    const [x, end] = [this.#x(rank), this.#x(this.#endOf(operation))];
    const y = lane.topPx + 13;
    const hue = operation.f === 'read' || operation.f === 'write' ? operation.f : 'other';
    const place = this.#places.get(operation.invokedAt);
    const badge =
      place === undefined
        ? ''
        : `<g class="order"><circle cx="${x + 1}" cy="${y}" r="${place > 99 ? 10 : 7.5}"/><text x="${x + 1}" y="${y + 3}">${place}</text></g>`;
    const tail =
      operation.outcome === 'info' ? `<path class="tail" d="M${end} ${y + 13}H${this.#x(this.#axis.length)}"/>` : '';
    const css = `${hue} ${operation.outcome}${isViolation ? ' bad' : ''}`;
    const shape = `<rect x="${x}" y="${y}" width="${rounded(end - x - 3)}" height="26" rx="6"/><text x="${x + 9}" y="${y + 17.5}">${safe(labelOf(operation))}</text>`;
    const id = `operation-${operation.invokedAt}`;
    return { rank, svg: mark(id, css, this.#detail(operation, place, isViolation), tail + shape + badge) };
  }

  #detail(operation: DrawnOperation, place: number | undefined, isViolation: boolean): string {
    const { invokedAt, completedAt, outcome } = operation;
    const when = (position: number): string => {
      const timeUs = this.#drawing.timesUs?.[position];
      return timeUs === undefined ? `event ${position}` : `${durationWords(timeUs)} (event ${position})`;
    };
    const ends = outcome === 'info' ? 'nobody knows whether it happened' : `returned at ${when(completedAt)}`;
    const placed = place === undefined ? '' : ` Number ${place} of the longest legal order.`;
    const verdict = isViolation ? ` The first that cannot be placed: ${this.#drawing.violation?.sentence}` : '';
    return `Process ${operation.process}: ${sentenceOf(operation)}. Invoked at ${when(invokedAt)}, ${ends}.${placed}${verdict}`;
  }

  #spanMarks(): Mark[] {
    return this.#lanes.flatMap(({ content, topPx, name }) => {
      if (content.type === 'process') return [];
      return content.tracks.flatMap((track, i) =>
        track.map((span, j) => this.#spanMark(span, track[j + 1], topPx + 4 + i * TRACK_PX, name)),
      );
    });
  }

  #spanMark(span: Span, next: Span | undefined, yPx: number, lane: string): Mark {
    const rank = this.#axis.ofBoundary(span.fromUs);
    const [x, end] = [this.#x(rank), this.#x(this.#endOfSpan(span))];
    const isMoment = span.toUs === span.fromUs;
    const from = durationWords(span.fromUs);
    const until = span.toUs === null ? 'to the end' : `to ${durationWords(span.toUs)}`;
    const detail = `${lane}: ${span.label}, ${isMoment ? `at ${from}` : `from ${from} ${until}`}.`;
    const widthPx = rounded(Math.max(4, end - x - 2));
    const box = `x="${x}" y="${yPx}" width="${widthPx}" height="${TRACK_PX - 4}" rx="4"`;
    const hatch = span.css === 'down' ? `<rect class="hatch" ${box}/>` : '';
    const shape = isMoment ? `<circle cx="${x}" cy="${yPx + 10}" r="5"/>` : `<rect ${box}/>${hatch}`;
    // A moment has no room of its own: its name may reach to what comes next.
    const roomPx = isMoment
      ? this.#x(next === undefined ? this.#axis.length : this.#axis.ofBoundary(next.fromUs)) - x
      : end - x;
    const columns = Math.floor((roomPx - 14) / COLUMN_PX);
    const label = `<text x="${x + (isMoment ? 10 : 7)}" y="${yPx + 14}">${safe(cut(printable(span.label), columns))}</text>`;
    return { rank, svg: mark('', `span ${span.css}`, detail, columns < 3 ? shape : shape + label) };
  }
}

function mark(id: string, css: string, detail: string, shape: string): string {
  const name = id === '' ? '' : ` id="${id}"`;
  const words = safe(detail);
  return `<g${name} class="mark ${css}" tabindex="-1" role="img" aria-label="${words}"><title>${words}</title>${shape}</g>`;
}

function labelOf(operation: DrawnOperation): string {
  const { deed, ending } = wordsOf(operation);
  return cut(ending === '? unknown' ? `${deed} ?` : deed, LABEL_COLUMNS);
}

function safe(text: string): string {
  return escapeHtml(printable(text));
}

function rounded(px: number): number {
  return Math.round(px * 10) / 10;
}
