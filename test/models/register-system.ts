/**
 * Servers that keep a register, and clients that each write once and then read once, over a network that reorders but
 * neither loses nor repeats. After the actor models of stateright's examples, whose state counts are published: the
 * state is the actors, the messages in flight and the history; a message that changes nothing where it arrives is not
 * delivered.
 */
import type { Model } from '@polder/core/explore';

export type RegisterMessage<Internal> =
  | { readonly type: 'put'; readonly request: number; readonly value: string }
  | { readonly type: 'get'; readonly request: number }
  | { readonly type: 'putOk'; readonly request: number }
  | { readonly type: 'getOk'; readonly request: number; readonly value: string }
  | { readonly type: 'internal'; readonly message: Internal };

export interface Envelope<Internal> {
  readonly from: number;
  readonly to: number;
  readonly message: RegisterMessage<Internal>;
}

export interface ServerStep<Server, Internal> {
  readonly server: Server;
  readonly sends: readonly { readonly to: number; readonly message: RegisterMessage<Internal> }[];
}

export interface RegisterProtocol<Server, Internal> {
  start(id: number): Server;
  /** null: ignored. */
  receive(
    id: number,
    server: Server,
    from: number,
    message: RegisterMessage<Internal>,
  ): ServerStep<Server, Internal> | null;
}

interface Call {
  readonly value: string | null;
  /** How many calls each client had completed when this one began. */
  readonly after: readonly number[];
}

interface Client {
  readonly awaits: number;
  readonly open: Call | null;
  readonly completed: readonly (Call & { readonly answer: string | null })[];
}

export interface RegisterState<Server> {
  readonly servers: readonly Server[];
  readonly clients: readonly Client[];
  /** Under way, each as its text, in ascending order; one may be there more than once. */
  readonly network: readonly string[];
}

export const NOTHING = '';

export function registerSystem<Server, Internal>(
  protocol: RegisterProtocol<Server, Internal>,
  serverCount: number,
  clientCount: number,
): Model<RegisterState<Server>, Envelope<Internal>> {
  return {
    initial: () => [start(protocol, serverCount, clientCount)],
    actions: ({ network }) => network.filter((text, i) => text !== network[i - 1]).map(parse<Internal>),
    next: (state, envelope) => {
      const at = state.network.indexOf(encode(envelope));
      const without = { ...state, network: state.network.filter((_, i) => i !== at) };
      return envelope.to < serverCount ? toServer(protocol, without, envelope) : toClient(without, envelope);
    },
    encode,
    describe: ({ from, to, message }) =>
      `${from} → ${to}: ${encode(message.type === 'internal' ? message.message : message)}`,
    always: [
      {
        name: 'linearizable',
        sentence: 'no order of the calls explains what the clients were answered',
        holds: ({ clients }) => isLinearizable(clients),
      },
    ],
    sometimes: [
      {
        name: 'value chosen',
        reached: ({ network }) =>
          network
            .map((text) => parse<Internal>(text).message)
            .some((message) => message.type === 'getOk' && message.value !== NOTHING),
      },
    ],
  };
}

/** Every client has sent its write. */
function start<Server, Internal>(
  protocol: RegisterProtocol<Server, Internal>,
  serverCount: number,
  clientCount: number,
): RegisterState<Server> {
  const ids = Array.from({ length: clientCount }, (_, i) => serverCount + i);
  const valueOf = (id: number) => String.fromCharCode(65 + id - serverCount);
  return {
    servers: Array.from({ length: serverCount }, (_, id) => protocol.start(id)),
    clients: ids.map((id) => ({ awaits: id, open: { value: valueOf(id), after: ids.map(() => 0) }, completed: [] })),
    network: sent<Internal>(
      [],
      ids.map((id) => ({ from: id, to: id % serverCount, message: { type: 'put', request: id, value: valueOf(id) } })),
    ),
  };
}

function toServer<Server, Internal>(
  protocol: RegisterProtocol<Server, Internal>,
  state: RegisterState<Server>,
  { from, to, message }: Envelope<Internal>,
): RegisterState<Server> | null {
  const step = protocol.receive(to, state.servers[to] as Server, from, message);
  if (step === null) return null;
  const servers = state.servers.map((server, id) => (id === to ? step.server : server));
  const sends = step.sends.map((send) => ({ from: to, ...send }));
  return { ...state, servers, network: sent(state.network, sends) };
}

/** After its write a client reads, at the next server; after its read it is done. */
function toClient<Server, Internal>(
  state: RegisterState<Server>,
  { to, message }: Envelope<Internal>,
): RegisterState<Server> | null {
  const at = to - state.servers.length;
  const client = state.clients[at] as Client;
  if (client.open === null || !('request' in message) || message.request !== client.awaits) return null;
  const answer = message.type === 'getOk' ? message.value : null;
  const done: Client = { awaits: 0, open: null, completed: [...client.completed, { ...client.open, answer }] };
  const replace = (by: Client) => state.clients.map((each, i) => (i === at ? by : each));
  if (message.type === 'getOk') return { ...state, clients: replace(done) };
  const after = replace(done).map((each) => each.completed.length);
  const reading: Client = { ...done, awaits: 2 * to, open: { value: null, after } };
  const server = (to + 1) % state.servers.length;
  const get: Envelope<Internal> = { from: to, to: server, message: { type: 'get', request: 2 * to } };
  return { ...state, clients: replace(reading), network: sent(state.network, [get]) };
}

function sent<Internal>(network: readonly string[], envelopes: readonly Envelope<Internal>[]): string[] {
  return [...network, ...envelopes.map(encode)].sort();
}

function parse<Internal>(text: string): Envelope<Internal> {
  return JSON.parse(text) as Envelope<Internal>;
}

function encode(value: unknown): string {
  return JSON.stringify(value);
}

function isLinearizable(clients: readonly Client[]): boolean {
  const search = (done: readonly number[], value: string): boolean => {
    if (clients.every((client, i) => (done[i] as number) >= client.completed.length)) return true;
    return clients.some((client, i) => {
      const at = done[i] as number;
      const call = client.completed[at] ?? (at === client.completed.length ? client.open : null);
      if (call === null || call.after.some((count, j) => j !== i && (done[j] as number) < count)) return false;
      const answered = client.completed[at];
      if (call.value === null && answered !== undefined && answered.answer !== value) return false;
      return search(
        done.map((count, j) => (j === i ? count + 1 : count)),
        call.value ?? value,
      );
    });
  };
  return search(
    clients.map(() => 0),
    NOTHING,
  );
}
