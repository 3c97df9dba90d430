/** What chance seldom brings together, by hand: each gives a sentence that says which promise is broken, or null. */
import { utf8 } from '../../../base/bytes.ts';
import { VectorClock } from '../../../clocks/index.ts';
import type { RegisterMessage } from '../../../registers/index.ts';
import type { RegisterRules } from '../../../registers/rules.ts';
import { MS, RegistersCluster } from '../../registers/by-hand.ts';

export type RegisterSchedule = (rules: Partial<RegisterRules>) => string | null;

const SECOND = 1_000 * MS;

function carriesVersions({ type }: RegisterMessage): boolean {
  return type === 'store' || type === 'push' || type === 'delta' || type === 'repair';
}

function expected(what: string, found: string | null, wanted: string): string | null {
  return found === wanted ? null : `${what}: ${found ?? 'no answer'}, where ${wanted} was owed`;
}

/** A read asks; a strong write ends; a weaker write begins with a lower tag; the read's answers arrive. */
export function weakerWriteUnderARead(rules: Partial<RegisterRules>): string | null {
  const three = new RegistersCluster(3, { rules });
  three.later(three.write(2, 'x', 'old', 'strong'));
  three.member(1).wallMs -= 450;
  three.cut = (from, to) => (from === 1 && to === 3) || (from === 3 && to === 1);
  three.keep = (_, to, message) => to === 1 && message.type === 'queried';
  const read = three.read(1, 'x', 'strong', { timeoutUs: 10 * SECOND });
  three.deliver();
  three.keep = (_, to, message) => to === 1 && carriesVersions(message);
  const answers = three.kept;
  three.kept = [];
  three.later(three.write(2, 'x', 'strong', 'strong'), MS);
  three.keep = (from, _, message) => from === 1 && message.type === 'push';
  three.later(three.write(1, 'x', 'weaker', 'eventual'), MS);
  three.keep = () => false;
  three.kept = answers;
  three.release();
  three.run(100 * MS);
  const next = three.told(read) === 'strong' ? null : three.later(three.read(3, 'x', 'strong'), MS);
  return next === 'strong' ? `a strong read returned ${three.told(read)}, and the next one ${next} again` : null;
}

/** An unknown write reaches all after all; another one follows; then the first is repeated. */
export function repeatAfterASuccessor(rules: Partial<RegisterRules>): string | null {
  const three = new RegistersCluster(3, { rules });
  three.cut = (from, _, message) => from === 1 && carriesVersions(message);
  const write = three.write(1, 'x', 'a', 'strong');
  three.later(write);
  three.heal();
  three.run(2 * SECOND);
  const outcome = three.answers.get(write);
  const seen = three.later(three.read(2, 'x', 'strong'));
  three.later(three.write(2, 'x', 'b', 'strong'));
  three.later(three.write(1, 'x', 'a', 'strong', { tag: outcome?.type === 'Unknown' ? outcome.tag : null }));
  return seen === 'a'
    ? expected('after a was read, and overwritten', three.later(three.read(2, 'x', 'strong')), 'b')
    : null;
}

/** One of the two that hold a strong write loses its disk; the other one is cut off. */
export function lostDiskThenMajority(rules: Partial<RegisterRules>): string | null {
  const three = new RegistersCluster(3, { rules });
  three.cut = (from, to) => from === 3 || to === 3;
  three.later(three.write(1, 'x', 'a', 'strong'));
  three.wipe(2);
  three.cut = (from, to) => from === 1 || to === 1;
  three.start(2);
  three.run(5 * SECOND);
  const found = three.later(three.read(3, 'x', 'strong'));
  return found === 'absent' ? 'a strong write that a majority acknowledged is gone with one disk' : null;
}

/** The answer of a disk that is lost meanwhile arrives late, and makes up a majority. */
export function lateAnswerOfALostDisk(rules: Partial<RegisterRules>): string | null {
  const three = new RegistersCluster(3, { rules });
  three.keep = (from, to, message) => from === 2 && to === 1 && message.type === 'stored';
  three.cut = (from, to) => (from === 1 && to === 3) || (from === 3 && to === 1);
  const write = three.write(1, 'x', 'a', 'strong', { timeoutUs: 60 * SECOND });
  three.run(MS);
  const promises = three.kept;
  three.keep = () => false;
  three.cut = (from, _, message) => message.type === 'store' || (from === 1 && carriesVersions(message));
  three.wipe(2);
  three.start(2);
  three.run(10 * SECOND);
  three.kept = promises;
  three.release();
  if (three.told(write) !== 'written at strong') return null;
  return 'a strong write was acknowledged that one member holds: its other copy was on the disk that is gone';
}

/** A wall clock is a minute ahead of all others while its member writes. */
export function clockAhead(rules: Partial<RegisterRules>): string | null {
  const three = new RegistersCluster(3, { rules });
  three.member(1).wallMs += 60_000;
  three.run(2 * SECOND);
  three.write(1, 'x', 'a', 'eventual');
  three.run(2 * SECOND);
  const write = three.write(2, 'y', 'b', 'eventual');
  three.run(100 * MS);
  const outcome = three.answers.get(write);
  const aheadMs = outcome?.type === 'written' ? outcome.tag.time.physicalMs - three.member(2).wallMs : 0;
  return aheadMs > 1_000 ? `one clock that is ahead took another one along, by ${Math.floor(aheadMs)} ms` : null;
}

/** A tag from far in the future stands at a key that is to be written. */
export function tagFromTheFuture(rules: Partial<RegisterRules>): string | null {
  const three = new RegistersCluster(3, { rules });
  const time = { physicalMs: 9_000_000_000, logical: 0 };
  const tag = { time, member: 2, incarnation: 201, boot: 1 };
  const dot = { origin: '2#201', sequence: 1 };
  const version = { key: 'x', tag, dot, dependencies: VectorClock.empty, value: utf8('future') };
  const now = { monotonicUs: three.nowUs, wallMs: Math.floor(three.member(3).wallMs) };
  const message = { type: 'push', version } as const;
  three.replica(3).step(now, { type: 'receive', from: 2, directory: 201, addressee: 301, message });
  three.run(2 * SECOND);
  return expected(
    'a strong write of a key whose tag is ahead',
    three.later(three.write(1, 'x', 'now', 'strong')),
    'written at strong',
  );
}

/** A session writes a cause and then its effect; a member hears of the effect first. */
export function effectBeforeCause(rules: Partial<RegisterRules>): string | null {
  const three = new RegistersCluster(3, { rules });
  three.cut = (_, to, message) => {
    const { key } = message.type === 'push' ? message.version : { key: '' };
    return to === 3 && (key === 'cause' || message.type === 'delta' || message.type === 'repair');
  };
  const cause = three.write(1, 'cause', 'a', 'causal', { token: new Uint8Array(0) });
  three.run(MS);
  const outcome = three.answers.get(cause);
  const token = outcome?.type === 'written' ? outcome.token : null;
  three.write(1, 'effect', 'b', 'causal', { token });
  three.run(MS);
  const session = { token: new Uint8Array(0) };
  const effect = three.told(three.read(3, 'effect', 'causal', session));
  if (effect !== 'b' || three.told(three.read(3, 'cause', 'causal', session)) === 'a') return null;
  return 'a causal session saw an effect at a member that does not have its cause';
}

/** A copy of a value is under way while the value is deleted everywhere, and its tombstone collected. */
export function lateCopyOfADeletedValue(rules: Partial<RegisterRules>): string | null {
  const three = new RegistersCluster(3, { rules });
  three.keep = (_, to, message) => to === 3 && message.type === 'push';
  three.later(three.write(1, 'x', 'a', 'eventual'), MS);
  const late = three.kept;
  three.keep = () => false;
  three.later(three.write(2, 'x', null, 'eventual'));
  three.run(30 * SECOND);
  three.kept = late;
  three.release();
  three.run(30 * SECOND);
  return expected('a deleted key, when a late copy has arrived', three.told(three.read(3, 'x', 'eventual')), 'absent');
}
