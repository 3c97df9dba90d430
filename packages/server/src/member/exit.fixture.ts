/** A process that embeds members, closes them, and then has nothing left to do: it says what is still held, and ends. */
import { readdirSync } from 'node:fs';
import { startMember } from '../index.ts';

const [dataDirectory = ''] = process.argv.slice(2);
const files = (): number => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);
const filesBefore = files();

const members = [1, 2, 3].map((id) => ({ name: `m${id}`, id, peerPort: 0, clientPort: 0 }));
// Its peers are away: it dials them for as long as it runs.
const lonely = await startMember({ name: 'm1', members, dataDirectory });
const lost = lonely.put('key', 'value', { timeoutMs: 60_000, signal: new AbortController().signal });
const outcome = lost.catch((error: { readonly outcome?: string }) => error.outcome);
await lonely.close();

const alone = await startMember({ members: [{ name: 'alone', id: 1, clientPort: 0 }], name: 'alone' });
await (await alone.session()).put('key', 'value');
await alone.close();

// A handle that was closed is one until the loop has gone round.
await new Promise((resolve) => setImmediate(resolve));
const held = process.getActiveResourcesInfo().filter((each) => !each.startsWith('Pipe'));
console.log(JSON.stringify({ outcome: await outcome, held, files: files() - filesBefore }));
