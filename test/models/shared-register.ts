/** Attiya, Bar-Noy and Dolev, "Sharing memory robustly in message-passing systems" (1995), with many writers. */
import { NOTHING, type RegisterMessage, type RegisterProtocol } from './register-system.ts';

type Tag = readonly [count: number, server: number];

interface Tagged {
  readonly tag: Tag;
  readonly value: string;
}

type SharedMessage =
  | { readonly type: 'query'; readonly request: number }
  | ({ readonly type: 'answer' | 'record'; readonly request: number } & Tagged)
  | { readonly type: 'recorded'; readonly request: number };

type Phase =
  | {
      readonly type: 'query';
      readonly request: number;
      readonly client: number;
      readonly write: string | null;
      readonly answers: readonly (Tagged & { readonly server: number })[];
    }
  | {
      readonly type: 'record';
      readonly request: number;
      readonly client: number;
      readonly read: string | null;
      readonly recorded: readonly number[];
    };

interface SharedServer extends Tagged {
  readonly phase: Phase | null;
}

const compare = (a: Tag, b: Tag) => a[0] - b[0] || a[1] - b[1];

export function sharedRegister(servers: number): RegisterProtocol<SharedServer, SharedMessage> {
  const majority = Math.floor(servers / 2) + 1;
  type Message = RegisterMessage<SharedMessage>;
  const internal = (message: SharedMessage): Message => ({ type: 'internal', message });
  const others = (id: number, message: SharedMessage) =>
    Array.from({ length: servers }, (_, to) => ({ to, message: internal(message) })).filter(({ to }) => to !== id);

  /** A majority has answered: take the highest, and record it, or the new value under a higher tag. */
  function record(id: number, server: SharedServer, phase: Extract<Phase, { type: 'query' }>) {
    const { request, client, write } = phase;
    const highest = phase.answers.reduce((a, b) => (compare(b.tag, a.tag) > 0 ? b : a));
    const tag: Tag = write === null ? highest.tag : [highest.tag[0] + 1, id];
    const value = write ?? highest.value;
    const read = write === null ? value : null;
    const own = compare(tag, server.tag) > 0 ? { tag, value } : { tag: server.tag, value: server.value };
    return {
      server: { ...own, phase: { type: 'record' as const, request, client, read, recorded: [id] } },
      sends: others(id, { type: 'record', request, tag, value }),
    };
  }

  function onInternal(id: number, server: SharedServer, from: number, message: SharedMessage) {
    const { phase, tag, value } = server;
    const { request } = message;
    switch (message.type) {
      case 'query':
        return { server, sends: [{ to: from, message: internal({ type: 'answer', request, tag, value }) }] };
      case 'answer': {
        if (phase?.type !== 'query' || phase.request !== request) return null;
        const rest = phase.answers.filter((each) => each.server !== from);
        const answers = [...rest, { server: from, tag: message.tag, value: message.value }];
        const heard = { ...phase, answers: answers.sort((a, b) => a.server - b.server) };
        return answers.length === majority
          ? record(id, server, heard)
          : { server: { ...server, phase: heard }, sends: [] };
      }
      case 'record': {
        const newer = compare(message.tag, tag) > 0 ? { tag: message.tag, value: message.value } : {};
        const recorded = internal({ type: 'recorded', request });
        return { server: { ...server, ...newer }, sends: [{ to: from, message: recorded }] };
      }
      case 'recorded': {
        if (phase?.type !== 'record' || phase.request !== request || phase.recorded.includes(from)) return null;
        const recorded = [...phase.recorded, from].sort((a, b) => a - b);
        if (recorded.length !== majority) return { server: { ...server, phase: { ...phase, recorded } }, sends: [] };
        const done: Message =
          phase.read === null ? { type: 'putOk', request } : { type: 'getOk', request, value: phase.read };
        return { server: { ...server, phase: null }, sends: [{ to: phase.client, message: done }] };
      }
    }
  }

  return {
    start: (id) => ({ tag: [0, id], value: NOTHING, phase: null }),
    receive: (id, server, from, message) => {
      if (message.type === 'internal') return onInternal(id, server, from, message.message);
      if ((message.type !== 'put' && message.type !== 'get') || server.phase !== null) return null;
      const { request } = message;
      const answers = [{ server: id, tag: server.tag, value: server.value }];
      const write = message.type === 'put' ? message.value : null;
      return {
        server: { ...server, phase: { type: 'query', request, client: from, write, answers } },
        sends: others(id, { type: 'query', request }),
      };
    },
  };
}
