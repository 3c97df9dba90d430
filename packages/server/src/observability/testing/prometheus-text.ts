/** Reads Prometheus' text format strictly: what would confuse Prometheus is an error here. */
export interface Metric {
  readonly type: string;
  readonly help: string;
  readonly samples: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;

export function parsePrometheus(text: string): ReadonlyMap<string, Metric> {
  const metrics = new Map<string, Metric>();
  let current: { name: string; metric: Metric } | null = null;
  let help = '';
  for (const line of text.trimEnd().split('\n')) {
    const [hash, keyword, name = '', ...rest] = line.split(' ');
    if (hash === '#' && keyword === 'HELP') help = rest.join(' ');
    else if (hash === '#' && keyword === 'TYPE') {
      if (metrics.has(name)) throw new Error(`${name} is declared twice`);
      current = { name, metric: { type: rest.join(' '), help, samples: [] } };
      metrics.set(name, current.metric);
    } else {
      const match = SAMPLE.exec(line);
      if (match === null || current === null) throw new Error(`not a sample: ${line}`);
      const [, sample = '', labels = '', value = ''] = match;
      const suffixes = current.metric.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
      if (!suffixes.some((suffix) => sample === `${current?.name}${suffix}`)) {
        throw new Error(`${sample} stands under ${current.name}`);
      }
      if (Number.isNaN(Number(value.replace('+Inf', 'Infinity')))) throw new Error(`not a value: ${line}`);
      current.metric.samples.push({ name: sample, labels: parseLabels(labels), value: Number(value) });
    }
  }
  return metrics;
}

function parseLabels(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)].map(([, k = '', v = '']) => [k, v]),
  );
}

/** Of all label sets together; of a histogram, how many observations. */
export function total(metric: Metric, name: string): number {
  const counted = metric.type === 'histogram' ? `${name}_count` : name;
  return metric.samples.filter((sample) => sample.name === counted).reduce((sum, { value }) => sum + value, 0);
}
