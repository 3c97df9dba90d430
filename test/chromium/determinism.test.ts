import { divergentStretch, firstDivergence, HASH_EVERY, type Step, type Strand } from '@polder/core/simulation';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chromiumPath, launch, openPage } from './chromium.ts';
import { type Name, type Run, run, stepsOf } from './runs.ts';

/** What page.ts puts there. */
declare const polder: { readonly run: typeof run; readonly stepsOf: typeof stepsOf };

const ENTRY = new URL('./page.ts', import.meta.url);

const path = chromiumPath();
if (path === null) console.warn('skipped: chromium is not installed (apt-get install chromium)');

/** Events `after` + 1 to `after` + n of a run, from their steps. */
function stretch(after: number, steps: readonly (readonly Step[])[]): Strand {
  const at = (event: number): readonly Step[] => steps[event - after - 1] ?? [];
  const hashes = [0];
  for (const each of steps) hashes.push(each.at(-1)?.fingerprint ?? (hashes.at(-1) as number));
  return {
    hashAt: (event) => hashes[Math.max(0, Math.min(event - after, steps.length))] as number,
    stepsAt: at,
    reaches: (event) => event <= after || at(event).at(-1)?.events === event,
  };
}

/** The first event at which the page's run is another than Node's, told in a sentence. */
async function whereTheyPart(page: Page, name: Name, seed: number, here: Run, there: Run): Promise<string> {
  const last = { after: HASH_EVERY * here.hashes.length, upTo: Math.max(here.events, there.events) + 1 };
  const { after, upTo } = divergentStretch(here.hashes, there.hashes, HASH_EVERY) ?? last;
  const question = { name, seed, after, upTo };
  const theirs = await page.evaluate(
    (asked) => polder.stepsOf(asked.name, asked.seed, asked.after, asked.upTo),
    question,
  );
  const found = firstDivergence(stretch(after, stepsOf(name, seed, after, upTo)), stretch(after, theirs));
  return `${name}, seed ${seed}, Node (one) and Chromium (other): ${found?.sentence ?? 'the second time they agree'}`;
}

describe.skipIf(path === null)('Chromium', () => {
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    browser = await launch(path as string);
    page = await openPage(browser, ENTRY);
  });

  afterAll(() => browser?.close());

  async function compare(name: Name, seed: number): Promise<Run> {
    const here = run(name, seed);
    const there = await page.evaluate((asked) => polder.run(asked.name, asked.seed), { name, seed });
    if (there.hash !== here.hash) expect.fail(await whereTheyPart(page, name, seed, here, there));
    expect(there).toEqual(here);
    return there;
  }

  it.each([1, 2, 3, 4, 5, 6])(
    'D3: lives through the same run of Raft as Node, to the last bit (seed %i)',
    async (seed) => {
      const { events, hashes } = await compare('raft', seed);
      expect(hashes).toHaveLength(Math.floor(events / HASH_EVERY));
      expect(hashes.length).toBeGreaterThan(0);
    },
  );

  it.each([1, 2, 3])('lives through the same run of a protocol of one’s own (seed %i)', async (seed) => {
    const { operations } = await compare('two-phase commit', seed);
    expect(operations.ok).toBeGreaterThan(3);
  });

  it('tells the first event at which its run is another, were it another engine', async () => {
    const odd = await openPage(browser, ENTRY, roundDifferently);
    const there = await odd.evaluate(() => polder.run('raft', 1));
    const sentence = await whereTheyPart(odd, 'raft', 1, run('raft', 1), there);
    expect(sentence).toMatch(/^raft, seed 1, .*: at event [0-9]+ they differ in .*\n {2}one: .* member [1-5]: /);
  });
});

/** What an engine might do whose numbers have a bit less. */
function roundDifferently(): void {
  const { floor } = Math;
  Math.floor = (x) => floor(x > 300 && x % 1 > 0.999 ? x + 0.001 : x);
}
