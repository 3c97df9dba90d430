/** Which part of many trials was over by when: a line for each sample, a panel for each comparison, as SVG. */
import { durationLabel, type LogScale, positionPx, ticksMs } from './log-scale.ts';

export interface Line {
  readonly name: string;
  /** In order of size. */
  readonly ms: readonly number[];
  /** All trials, also those that were given up and are not in `ms`. */
  readonly trials: number;
}

/** Somebody else's figure, to compare with. */
export interface Anchor {
  readonly ms: number;
  /** Part of the trials, 0 to 1. */
  readonly part: number;
  readonly text: string;
  /** By number: it takes this line's colour. */
  readonly line: number;
  /** Where its text is. */
  readonly side: 'left' | 'above' | 'below' | 'right, lower';
}

export interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly anchors: readonly Anchor[];
  readonly fromMs: number;
  readonly toMs: number;
}

export interface CumulativeChart {
  readonly title: string;
  readonly subtitle: string;
  /** For who cannot see it. */
  readonly description: string;
  readonly panels: readonly Panel[];
  readonly source: string;
}

const WIDTH_PX = 860;
const PLOT = { leftPx: 64, rightPx: 640, heightPx: 236 };
const HEAD_PX = 74;
const PANEL_PX = 346;
/** From warm to cool, distinct also in grey and to the colour-blind: the lines are an order, not mere names. */
const COLOURS = ['#b5302a', '#dd7a2b', '#b8960f', '#3f8f5b', '#2673b3', '#5b3f99'];

/** Class and distance of an anchor's text from the middle of its mark. */
const PLACES: { readonly [side in Anchor['side']]: readonly [string, number, number] } = {
  left: ['n e', -12, 4],
  above: ['n m', 0, -11],
  below: ['n m', 0, 37],
  'right, lower': ['n', 16, 22],
};

const STYLE = `text{font-family:'Helvetica Neue',Helvetica,Arial,'Liberation Sans','DejaVu Sans',sans-serif;font-size:12.5px;fill:#3d4652}
.h{font-size:19px;font-weight:700;fill:#161c24}.t{font-size:14.5px;font-weight:700;fill:#161c24}.s{fill:#667180}
.g{stroke:#e9ecf0}.a{stroke:#9aa4b1}.l{fill:none;stroke-width:2.2;stroke-linejoin:round}.e{text-anchor:end}.m{text-anchor:middle}
.n{font-weight:600;paint-order:stroke;stroke:#fff;stroke-width:4;stroke-linejoin:round}`;

export function drawCumulativeChart({ title, subtitle, description, panels, source }: CumulativeChart): string {
  const heightPx = HEAD_PX + panels.length * PANEL_PX + 26;
  const drawn = panels.map((panel, i) => drawPanel(panel, HEAD_PX + i * PANEL_PX));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH_PX} ${heightPx}" width="${WIDTH_PX}" height="${heightPx}" role="img" aria-labelledby="title description">
<title id="title">${escaped(title)}</title>
<desc id="description">${escaped(description)}</desc>
<style>${STYLE}</style>
<rect width="${WIDTH_PX}" height="${heightPx}" rx="10" fill="#fff"/>
<text class="h" x="24" y="36">${escaped(title)}</text>
<text class="s" x="24" y="57">${escaped(subtitle)}</text>
${drawn.join('\n')}
<text class="s" x="24" y="${heightPx - 16}">${escaped(source)}</text>
</svg>
`;
}

function drawPanel({ title, lines, anchors, fromMs, toMs }: Panel, topPx: number): string {
  const scale: LogScale = { fromMs, toMs, fromPx: PLOT.leftPx, toPx: PLOT.rightPx };
  const plotTopPx = topPx + 54;
  const bottomPx = plotTopPx + PLOT.heightPx;
  const yPx = (part: number): number => rounded(bottomPx - part * PLOT.heightPx);
  const parts = [`<text class="t" x="24" y="${topPx + 20}">${escaped(title)}</text>`];
  for (const part of [0, 0.25, 0.5, 0.75, 1]) {
    const y = yPx(part);
    parts.push(`<path class="${part === 0 ? 'a' : 'g'}" d="M${PLOT.leftPx} ${y}H${PLOT.rightPx}"/>`);
    parts.push(`<text class="e s" x="${PLOT.leftPx - 8}" y="${y + 4}">${part * 100} %</text>`);
  }
  for (const ms of ticksMs(scale)) {
    const x = rounded(positionPx(scale, ms));
    parts.push(`<path class="g" d="M${x} ${plotTopPx}V${bottomPx}"/>`);
    parts.push(`<text class="m s" x="${x}" y="${bottomPx + 18}">${durationLabel(ms)}</text>`);
  }
  for (const [i, line] of lines.entries()) {
    parts.push(drawLine(line, scale, yPx, colourOf(i, lines.length)));
  }
  parts.push(...anchors.map((anchor) => drawAnchor(anchor, scale, yPx, colourOf(anchor.line, lines.length))));
  parts.push(...lines.map((line, i) => drawName(line, toMs, plotTopPx + 8 + i * 38, colourOf(i, lines.length))));
  return parts.join('\n');
}

function drawAnchor(
  { ms, part, text, side }: Anchor,
  scale: LogScale,
  yPx: (part: number) => number,
  colour: string,
): string {
  const [x, y] = [rounded(positionPx(scale, ms)), yPx(part)];
  const shape = `<path d="M${x} ${y - 6}l6 6l-6 6l-6-6z" fill="#fff" stroke="${colour}" stroke-width="2"/>`;
  const [css, dx, dy] = PLACES[side];
  return `${shape}<text class="${css}" x="${x + dx}" y="${y + dy}" style="fill:${colour}">${escaped(text)}</text>`;
}

function drawName({ name, ms, trials }: Line, toMs: number, yPx: number, colour: string): string {
  const x = PLOT.rightPx + 18;
  const median = ms[Math.ceil(trials / 2) - 1];
  const about =
    median === undefined
      ? `${trials - ms.length} of ${trials} over ${durationLabel(toMs)}`
      : `median ${medianLabel(median)}`;
  return `<path d="M${x} ${yPx}h18" stroke="${colour}" stroke-width="3" stroke-linecap="round"/><text x="${x + 27}" y="${yPx + 4}" style="fill:${colour};font-weight:600">${escaped(name)}</text><text class="s" x="${x + 27}" y="${yPx + 20}">${about}</text>`;
}

/** Only where the picture changes by a pixel or so: a thousand trials need no thousand corners. A dot is the worst. */
function drawLine({ ms, trials }: Line, scale: LogScale, yPx: (part: number) => number, colour: string): string {
  const [first, last] = [ms[0], ms.at(-1)];
  if (first === undefined || last === undefined) return '';
  let path = `M${rounded(positionPx(scale, first))} ${yPx(0)}`;
  let lastX = Number.NEGATIVE_INFINITY;
  for (const [i, each] of ms.entries()) {
    const x = rounded(positionPx(scale, each));
    if (x - lastX < 0.8 && i < ms.length - 1) continue;
    path += `L${x} ${yPx((i + 1) / trials)}`;
    lastX = x;
  }
  const isWhole = ms.length === trials;
  const end = isWhole
    ? `<circle cx="${rounded(positionPx(scale, last))}" cy="${yPx(1)}" r="3.5" fill="${colour}"/>`
    : '';
  return `<path class="l" stroke="${colour}" d="${path}${isWhole ? '' : `H${scale.toPx}`}"/>${end}`;
}

function medianLabel(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(2)} s`;
}

function colourOf(line: number, lines: number): string {
  const step = lines > 1 ? (COLOURS.length - 1) / (lines - 1) : 0;
  return COLOURS[Math.round(line * step)] ?? '#161c24';
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

function rounded(px: number): number {
  return Math.round(px * 10) / 10;
}
