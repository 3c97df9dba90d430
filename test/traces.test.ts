/** Bugs that were found and fixed stay fixed: see test/traces/README.md. */
import { parseTrace } from '@polder/core/simulation';
import { describe, expect, test } from 'vitest';
import { BUILT_INS, loadScenario } from '../packages/cli/src/simulate/scenarios.ts';
import { text, walk } from './tree.ts';

const FOLDER = 'test/traces/';
const traces = walk().filter((path) => path.startsWith(FOLDER) && path.endsWith('.trace.json'));

describe('the corpus of traces', () => {
  test('has traces, or its README says that there is none yet', () => {
    const saysNone = text(`${FOLDER}README.md`).includes('There is none yet');
    expect(saysNone, 'the README says "There is none yet" exactly when that is so').toBe(traces.length === 0);
  });

  for (const path of traces) {
    test(`${path} breaks no rule any more`, async () => {
      const trace = parseTrace(text(path));
      expect(trace.violation, 'a trace of the corpus names the rule that it once broke').not.toBeNull();
      const name = BUILT_INS.find((known) => known === trace.scenario);
      if (name === undefined) throw new Error(`no built-in scenario is called ${trace.scenario}`);
      const scenario = await loadScenario({ type: 'builtIn', name });
      expect(scenario.replay(trace).violation).toBeNull();
    });
  }
});
