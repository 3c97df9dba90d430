/** Single-decree Paxos, a ballot for each client's request; only the first request at a server is proposed. */
import { NOTHING, type RegisterMessage, type RegisterProtocol, type ServerStep } from './register-system.ts';

type Ballot = readonly [round: number, server: number];

interface Proposal {
  readonly request: number;
  readonly client: number;
  readonly value: string;
}

interface Accepted {
  readonly ballot: Ballot;
  readonly proposal: Proposal;
}

type PaxosMessage =
  | { readonly type: 'prepare'; readonly ballot: Ballot }
  | { readonly type: 'prepared'; readonly ballot: Ballot; readonly accepted: Accepted | null }
  | { readonly type: 'accept' | 'decided'; readonly ballot: Ballot; readonly proposal: Proposal }
  | { readonly type: 'accepted'; readonly ballot: Ballot };

interface PaxosServer {
  readonly ballot: Ballot;
  readonly proposal: Proposal | null;
  /** In the order of the servers, so that equal states have equal encodings. */
  readonly prepares: readonly { readonly server: number; readonly accepted: Accepted | null }[];
  readonly accepts: readonly number[];
  readonly accepted: Accepted | null;
  readonly decided: boolean;
}

export interface PaxosRules {
  /** P2c: which value a ballot must propose, given what the majority had accepted. */
  readonly choose: (promises: readonly (Accepted | null)[], own: Proposal) => Proposal;
}

const compare = (a: Ballot, b: Ballot) => a[0] - b[0] || a[1] - b[1];

export const PAXOS_RULES: PaxosRules = {
  choose: (promises, own) => {
    let highest: Accepted | null = null;
    for (const accepted of promises) {
      if (accepted !== null && (highest === null || compare(accepted.ballot, highest.ballot) > 0)) highest = accepted;
    }
    return highest?.proposal ?? own;
  },
};

type Message = RegisterMessage<PaxosMessage>;
type Step = ServerStep<PaxosServer, PaxosMessage> | null;

interface Context {
  readonly servers: number;
  readonly majority: number;
  readonly rules: PaxosRules;
}

export function paxos(servers: number, rules: PaxosRules = PAXOS_RULES): RegisterProtocol<PaxosServer, PaxosMessage> {
  const context = { servers, majority: Math.floor(servers / 2) + 1, rules };
  return {
    start: () => ({ ballot: [0, 0], proposal: null, prepares: [], accepts: [], accepted: null, decided: false }),
    receive: (id, server, from, message) => {
      if (server.decided) return onDecided(server, from, message);
      if (message.type === 'internal') return onInternal(context, id, server, from, message.message);
      if (message.type !== 'put' || server.proposal !== null) return null;
      const ballot: Ballot = [server.ballot[0] + 1, id];
      const proposal = { request: message.request, client: from, value: message.value };
      const prepares = [{ server: id, accepted: server.accepted }];
      return {
        server: { ...server, ballot, proposal, prepares, accepts: [] },
        sends: toOthers(context, id, { type: 'prepare', ballot }),
      };
    },
  };
}

function to(server: number, message: PaxosMessage): { to: number; message: Message } {
  return { to: server, message: { type: 'internal', message } };
}

function toOthers({ servers }: Context, id: number, message: PaxosMessage) {
  const all = Array.from({ length: servers }, (_, server) => server);
  return all.filter((server) => server !== id).map((server) => to(server, message));
}

function onDecided(server: PaxosServer, from: number, message: Message): Step {
  if (message.type !== 'get') return null;
  const value = server.accepted?.proposal.value ?? NOTHING;
  return { server, sends: [{ to: from, message: { type: 'getOk', request: message.request, value } }] };
}

function onInternal(context: Context, id: number, server: PaxosServer, from: number, message: PaxosMessage): Step {
  const { ballot } = message;
  const order = compare(server.ballot, ballot);
  switch (message.type) {
    case 'prepare': {
      if (order >= 0) return null;
      const promise = to(from, { type: 'prepared', ballot, accepted: server.accepted });
      return { server: { ...server, ballot }, sends: [promise] };
    }
    case 'prepared':
      return order === 0 ? onPrepared(context, id, server, from, message) : null;
    case 'accept': {
      if (order > 0) return null;
      const accepted = { ballot, proposal: message.proposal };
      return { server: { ...server, ballot, accepted }, sends: [to(from, { type: 'accepted', ballot })] };
    }
    case 'accepted':
      return order === 0 ? onAccepted(context, id, server, from, ballot) : null;
    case 'decided': {
      const accepted = { ballot, proposal: message.proposal };
      return { server: { ...server, ballot, accepted, decided: true }, sends: [] };
    }
  }
}

function onPrepared(
  context: Context,
  id: number,
  server: PaxosServer,
  from: number,
  { ballot, accepted: last }: Extract<PaxosMessage, { type: 'prepared' }>,
): Step {
  const earlier = server.prepares.filter((each) => each.server !== from);
  const prepares = [...earlier, { server: from, accepted: last }].sort((a, b) => a.server - b.server);
  if (prepares.length !== context.majority || server.proposal === null) {
    return { server: { ...server, prepares }, sends: [] };
  }
  const promises = prepares.map((each) => each.accepted);
  const proposal = context.rules.choose(promises, server.proposal);
  return {
    server: { ...server, prepares, proposal, accepted: { ballot, proposal }, accepts: [id] },
    sends: toOthers(context, id, { type: 'accept', ballot, proposal }),
  };
}

function onAccepted(context: Context, id: number, server: PaxosServer, from: number, ballot: Ballot): Step {
  const accepts = [...new Set([...server.accepts, from])].sort((a, b) => a - b);
  const { proposal } = server;
  if (accepts.length !== context.majority || proposal === null) return { server: { ...server, accepts }, sends: [] };
  const putOk: Message = { type: 'putOk', request: proposal.request };
  return {
    server: { ...server, accepts, decided: true },
    sends: [...toOthers(context, id, { type: 'decided', ballot, proposal }), { to: proposal.client, message: putOk }],
  };
}
