/** The entry of the bundle that the page loads. */
import { run, stepsOf } from './runs.ts';

Object.assign(globalThis, { polder: { run, stepsOf } });
