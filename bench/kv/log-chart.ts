/** Small charts as SVG with a logarithmic x and a y from zero, readable on light and dark pages alike. */

export interface Panel {
  readonly title: string;
  readonly xLabel: string;
  readonly lines: readonly {
    readonly name: string;
    readonly color: string;
    readonly points: readonly { readonly x: number; readonly y: number }[];
  }[];
}

const WIDTH = 380;
const HEIGHT = 200;
const LEFT = 56;
const RIGHT = 16;
const TOP = 38;
const BOTTOM = 36;
const GREY = '#808080';

export function svgOf(panels: readonly Panel[], columns: number): string {
  const drawn = panels.map((panel, i) => {
    const [x, y] = [(i % columns) * WIDTH, Math.floor(i / columns) * HEIGHT];
    return `<g transform="translate(${x} ${y})">${draw(panel)}</g>`;
  });
  const [width, height] = [WIDTH * columns, HEIGHT * Math.ceil(panels.length / columns)];
  const open = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`;
  return `${open} font-family="system-ui, sans-serif" font-size="11">\n${drawn.join('\n')}\n</svg>\n`;
}

function draw({ title, xLabel, lines }: Panel): string {
  const points = lines.flatMap((line) => line.points);
  const xs = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  const [least, most] = [Math.log(xs[0] ?? 1), Math.log(xs.at(-1) ?? 10)];
  const yMost = roundUp(Math.max(1, ...points.map(({ y }) => y)));
  const x = (value: number): number =>
    LEFT + ((Math.log(value) - least) / (most - least || 1)) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number => HEIGHT - BOTTOM - (value / yMost) * (HEIGHT - TOP - BOTTOM);
  const parts = [
    text(LEFT, 14, title, 'font-weight="600"'),
    text(WIDTH - RIGHT, HEIGHT - 6, xLabel, 'text-anchor="end"'),
  ];
  for (const share of [0, 0.5, 1]) {
    const at = y(yMost * share);
    parts.push(
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${round(at)}" y2="${round(at)}" stroke="${GREY}" stroke-opacity="0.35"/>`,
      text(LEFT - 6, at + 4, (yMost * share).toLocaleString('en'), 'text-anchor="end"'),
    );
  }
  for (const value of xs) {
    parts.push(text(x(value), HEIGHT - BOTTOM + 14, value.toLocaleString('en'), 'text-anchor="middle"'));
  }
  for (const [i, line] of lines.entries()) {
    const path = line.points.map((point, at) => `${at === 0 ? 'M' : 'L'}${round(x(point.x))} ${round(y(point.y))}`);
    parts.push(`<path d="${path.join('')}" fill="none" stroke="${line.color}" stroke-width="1.8"/>`);
    for (const point of line.points) {
      parts.push(`<circle cx="${round(x(point.x))}" cy="${round(y(point.y))}" r="2.5" fill="${line.color}"/>`);
    }
    const at = LEFT + i * 80;
    parts.push(
      `<line x1="${at}" x2="${at + 14}" y1="25" y2="25" stroke="${line.color}" stroke-width="2.5"/>`,
      text(at + 18, 29, line.name, 'font-size="10"'),
    );
  }
  return parts.join('\n');
}

/** To one, two or five times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 5, 10].find((times) => times * power >= value) ?? 10);
}

function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${round(x)}" y="${round(y)}" fill="${GREY}" ${attributes}>${content}</text>`;
}

function round(value: number): string {
  return value.toFixed(1);
}
