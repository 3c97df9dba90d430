/** Nodes that are wrong in one way each, named by the argument: what the runner must notice. */
import { createInterface } from 'node:readline';

interface Body {
  readonly type: string;
  readonly msg_id?: number;
  readonly [field: string]: unknown;
}

type Reply = Record<string, unknown> | null;
type Behaviour = (body: Body, src: string) => Reply;

let id = '';
let ids: readonly string[] = [];
let count = 0;
const seen = new Set<unknown>();
const store = new Map<unknown, unknown>();
const logs = new Map<string, unknown[]>();

const send = (dest: string, body: object): void => {
  process.stdout.write(`${JSON.stringify({ src: id, dest, body })}\n`);
};

const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  'changes-echo': ({ echo }) => ({ type: 'echo_ok', echo: ++count % 10 === 0 ? `${String(echo)}!` : echo }),
  'repeats-ids': () => ({ type: 'generate_ok', id: ++count }),
  'gossips-once': ({ type, message }) => {
    if (type === 'broadcast') for (const peer of ids) if (peer !== id) send(peer, { type: 'share', message });
    if (type === 'broadcast' || type === 'share') seen.add(message);
    if (type === 'share') return null;
    return type === 'read' ? { type: 'read_ok', messages: [...seen] } : { type: `${type}_ok` };
  },
  'counts-alone': ({ type, delta }) => {
    if (type === 'add') count += Number(delta);
    return type === 'read' ? { type: 'read_ok', value: count } : { type: 'add_ok' };
  },
  'logs-alone': ({ type, key, msg, offsets }) => {
    switch (type) {
      case 'send': {
        const log = logs.get(String(key)) ?? [];
        logs.set(String(key), [...log, msg]);
        return { type: 'send_ok', offset: log.length };
      }
      case 'poll': {
        const pairs = Object.entries(offsets as Record<string, number>).map(([name, from]) => [
          name,
          (logs.get(name) ?? []).slice(from).map((message, index) => [from + index, message]),
        ]);
        return { type: 'poll_ok', msgs: Object.fromEntries(pairs) as unknown };
      }
      default:
        return type === 'commit_offsets' ? { type: 'commit_offsets_ok' } : { type: `${type}_ok`, offsets: {} };
    }
  },
  // Says that the transaction conflicted, and keeps what it wrote.
  'keeps-aborted-writes': ({ txn }) => {
    const done = (txn as [string, unknown, unknown][]).map(([f, key, value]) => {
      if (f !== 'r') store.set(key, value);
      return [f, key, f === 'r' ? (store.get(key) ?? null) : value];
    });
    return ++count % 3 === 0 ? { type: 'error', code: 30, text: 'conflict' } : { type: 'txn_ok', txn: done };
  },
  'prints-to-stdout': () => {
    process.stdout.write('starting up...\n');
    return null;
  },
  crashes: () => {
    process.stderr.write('the disk is on fire\n');
    process.exit(7);
  },
  hangs: () => null,
  'answers-otherwise': () => ({ type: 'okay' }),
  'writes-to-nobody': (_body, _src) => {
    send('n99', { type: 'hello' });
    return null;
  },
  'tells-pid': ({ echo }) => ({ type: 'echo_ok', echo }),
};

const behaviour = BEHAVIOURS[process.argv[2] ?? ''];
if (behaviour === undefined) throw new Error(`one of ${Object.keys(BEHAVIOURS).join(', ')}`);
if (process.argv[2] === 'tells-pid') process.stderr.write(`pid ${process.pid}\n`);

createInterface({ input: process.stdin }).on('line', (line) => {
  const { src, body } = JSON.parse(line) as { src: string; body: Body };
  if (body.type === 'init') {
    id = String(body['node_id']);
    ids = body['node_ids'] as string[];
  }
  const reply = body.type === 'init' ? { type: 'init_ok' } : behaviour(body, src);
  if (reply !== null) send(src, { ...reply, in_reply_to: body.msg_id });
});
