/** One question to one library: `node question.ts <library> <number>`; the answer is JSON. */
import type { Library } from './library.ts';
import { scenarios } from './scenarios.ts';

const [name, index] = process.argv.slice(2);
const { library } = (await import(`./${name}-library.ts`)) as { library: Library };
const scenario = scenarios[Number(index)];
if (scenario === undefined) throw new Error(`there is no question ${index}`);
console.log(JSON.stringify(await scenario.ask(library)));
process.exit(0);
