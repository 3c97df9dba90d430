/** How much a page pays: bundles as a user's bundler would make them, minified and gzipped. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'rolldown';

const PACKAGE = fileURLToPath(new URL('../packages/resilience/dist/index.js', import.meta.url));

export const IMPORTS = {
  'retry + breaker': ['retry', 'breaker'],
  'pipeline of retry, breaker, bulkhead and timeout': ['pipeline', 'retry', 'breaker', 'bulkhead', 'timeout'],
  everything: ['*'],
} as const;

export interface Size {
  readonly what: string;
  readonly gzipBytes: number;
}

export async function bundleSizes(): Promise<Size[]> {
  const directory = mkdtempSync(join(tmpdir(), 'polder-size-'));
  try {
    const sizes: Size[] = [];
    for (const [what, names] of Object.entries(IMPORTS)) {
      const entry = join(directory, `entry-${sizes.length}.js`);
      const exported = names[0] === '*' ? '*' : `{ ${names.join(', ')} }`;
      writeFileSync(entry, `export ${exported} from ${JSON.stringify(PACKAGE)};\n`);
      const { output } = await build({ input: entry, write: false, output: { minify: true }, logLevel: 'silent' });
      sizes.push({ what, gzipBytes: gzipSync(output[0].code, { level: 9 }).length });
    }
    return sizes;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
