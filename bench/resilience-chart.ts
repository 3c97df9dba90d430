/** Small line charts as SVG, readable on light and dark pages alike. */

export interface Line {
  readonly name: string;
  readonly color: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

export interface Chart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly xMost: number;
  readonly yMost: number;
  /** A stretch of x to mark, and what it is. */
  readonly band: { readonly from: number; readonly to: number; readonly label: string };
  readonly lines: readonly Line[];
}

const WIDTH = 360;
const HEIGHT = 200;
const LEFT = 46;
const RIGHT = 10;
const TOP = 40;
const BOTTOM = 34;
const GREY = '#808080';

/** Panels beside and below each other, `columns` to a row. */
export function svgOf(charts: readonly Chart[], columns: number): string {
  const rows = Math.ceil(charts.length / columns);
  const panels = charts.map((chart, index) => {
    const [x, y] = [(index % columns) * WIDTH, Math.floor(index / columns) * HEIGHT];
    return `<g transform="translate(${x} ${y})">${panel(chart)}</g>`;
  });
  const [width, height] = [WIDTH * columns, HEIGHT * rows];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`,
    ` font-family="system-ui, sans-serif" font-size="11">\n${panels.join('\n')}\n</svg>\n`,
  ].join('');
}

function panel(chart: Chart): string {
  const x = (value: number): number => LEFT + (value / chart.xMost) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number =>
    HEIGHT - BOTTOM - (Math.min(value, chart.yMost) / chart.yMost) * (HEIGHT - TOP - BOTTOM);
  const parts = [text(LEFT, 14, chart.title, 'font-weight="600"')];
  const { from, to, label } = chart.band;
  const height = HEIGHT - TOP - BOTTOM;
  parts.push(
    `<rect x="${round(x(from))}" y="${TOP}" width="${round(x(to) - x(from))}" height="${height}" fill="${GREY}" opacity="0.18"/>`,
    text(x((from + to) / 2), TOP + 10, label, 'text-anchor="middle" font-size="9"'),
  );
  for (const share of [0, 0.5, 1]) {
    const value = chart.yMost * share;
    parts.push(
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${round(y(value))}" y2="${round(y(value))}" stroke="${GREY}" stroke-opacity="0.35"/>`,
      text(LEFT - 5, y(value) + 4, value.toLocaleString('en'), 'text-anchor="end"'),
    );
  }
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    parts.push(text(x(chart.xMost * share), HEIGHT - BOTTOM + 14, String(chart.xMost * share), 'text-anchor="middle"'));
  }
  parts.push(text(WIDTH - RIGHT, HEIGHT - 6, chart.xLabel, 'text-anchor="end" font-size="10"'));
  parts.push(text(LEFT, HEIGHT - 6, chart.yLabel, 'font-size="10"'));
  for (const [index, line] of chart.lines.entries()) {
    const path = line.points.map((point, at) => `${at === 0 ? 'M' : 'L'}${round(x(point.x))} ${round(y(point.y))}`);
    parts.push(`<path d="${path.join('')}" fill="none" stroke="${line.color}" stroke-width="1.8"/>`);
    const at = LEFT + index * 80;
    parts.push(
      `<line x1="${at}" x2="${at + 14}" y1="26" y2="26" stroke="${line.color}" stroke-width="2.5"/>`,
      text(at + 18, 30, line.name, 'font-size="10"'),
    );
  }
  return parts.join('\n');
}

function text(x: number, y: number, content: string, attributes: string): string {
  const escaped = content.replace(/&/g, '&amp;').replace(/</g, '&lt;');
  return `<text x="${round(x)}" y="${round(y)}" fill="${GREY}" ${attributes}>${escaped}</text>`;
}

function round(value: number): string {
  return value.toFixed(1);
}
