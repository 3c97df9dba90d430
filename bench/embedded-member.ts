/** What is embedded in the benchmark's processes: the store, or the least state machine there is. */
import { type EmbeddedOptions, type Member, type Placement, startMember, startReplicated } from '@polder/server';

export type EmbeddedKind = 'store' | 'machine';

export interface Embedded extends Pick<Member, 'events' | 'status' | 'transferLeadership' | 'close'> {
  /** Resolves once it is durable at a majority, and applied here. */
  write(value: Uint8Array): Promise<unknown>;
}

const KEYS = 10_000;

export async function startEmbedded(kind: EmbeddedKind, options: EmbeddedOptions & Placement): Promise<Embedded> {
  switch (kind) {
    case 'store': {
      const member = await startMember(options);
      let next = 0;
      return embedded(member, (value) => member.put(`bench/${next++ % KEYS}`, value));
    }
    case 'machine': {
      const bytes = { encode: (value: Uint8Array) => value, decode: (value: Uint8Array) => value };
      const machine = () => {
        let sizeBytes = 0;
        return {
          apply: (value: Uint8Array): number => {
            sizeBytes += value.length;
            return sizeBytes;
          },
          snapshot: () => sizeBytes,
          restore: (size: number) => {
            sizeBytes = size;
          },
          view: () => sizeBytes,
        };
      };
      const replicated = await startReplicated({ ...options, stateMachine: machine, codecs: { command: bytes } });
      return embedded(replicated, (value) => replicated.propose(value));
    }
  }
}

function embedded(
  member: Pick<Embedded, 'events' | 'status' | 'transferLeadership' | 'close'>,
  write: Embedded['write'],
): Embedded {
  return {
    events: member.events,
    status: () => member.status() as ReturnType<Embedded['status']>,
    transferLeadership: (to, options) => member.transferLeadership(to, options),
    close: (options) => member.close(options),
    write,
  };
}
