import type { Histogram } from './histogram.ts';

export type Labels = Readonly<Record<string, string>>;

/** What has figures to show writes them when it is asked. */
export type MetricSource = (out: Exposition) => void;

/** Prometheus' text format 0.0.4. All series of one name are written together. */
export class Exposition {
  readonly #lines: string[] = [];

  gauge(name: string, help: string, value: number | readonly (readonly [Labels, number])[]): void {
    this.#values(name, 'gauge', help, value);
  }

  counter(name: string, help: string, value: number | readonly (readonly [Labels, number])[]): void {
    this.#values(name, 'counter', help, value);
  }

  histogram(name: string, help: string, value: Histogram | readonly (readonly [Labels, Histogram])[]): void {
    this.#head(name, 'histogram', help);
    const series = Array.isArray(value) ? (value as readonly (readonly [Labels, Histogram])[]) : [[{}, value] as const];
    for (const [labels, histogram] of series as readonly (readonly [Labels, Histogram])[]) {
      const counts = histogram.cumulative();
      histogram.bounds.forEach((bound, i) =>
        this.#line(`${name}_bucket`, { ...labels, le: String(bound) }, counts[i] as number),
      );
      this.#line(`${name}_bucket`, { ...labels, le: '+Inf' }, histogram.count);
      this.#line(`${name}_sum`, labels, histogram.sum);
      this.#line(`${name}_count`, labels, histogram.count);
    }
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`;
  }

  #values(name: string, type: string, help: string, value: number | readonly (readonly [Labels, number])[]): void {
    this.#head(name, type, help);
    if (typeof value === 'number') return this.#line(name, {}, value);
    for (const [labels, each] of value) this.#line(name, labels, each);
  }

  #head(name: string, type: string, help: string): void {
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  }

  #line(name: string, labels: Labels, value: number): void {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    this.#lines.push(`${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}`);
  }
}

function escaped(text: string): string {
  return text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

/** The whole answer to `GET /metrics`. */
export function formatMetrics(sources: readonly MetricSource[]): string {
  const out = new Exposition();
  for (const source of sources) source(out);
  return out.toString();
}
