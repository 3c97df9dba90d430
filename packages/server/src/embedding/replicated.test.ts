/** A user's state machine, replicated among members of one process. */
import { on } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  LocalNetwork,
  NotLeaderError,
  type Replicated,
  type ReplicatedOptions,
  type ReplicatedStateMachine,
  startReplicated,
} from '../index.ts';
import type { MemberEnvironment } from './index.ts';

const TIMING = { electionTimeoutUs: 150_000, heartbeatUs: 15_000, proposalTimeoutUs: 5_000_000 };

interface Deposit {
  readonly account: string;
  readonly amount: number;
}

type Balances = Readonly<Record<string, number>>;
type BankOptions = ReplicatedOptions<Deposit, number, Balances, ReadonlyMap<string, number>>;
type Bank = Replicated<Deposit, number, ReadonlyMap<string, number>>;

class BankMachine implements ReplicatedStateMachine<Deposit, number, Balances, ReadonlyMap<string, number>> {
  #balances = new Map<string, number>();

  apply({ account, amount }: Deposit): number {
    if (amount < 0) throw new RangeError('a deposit is not negative');
    const balance = (this.#balances.get(account) ?? 0) + amount;
    this.#balances.set(account, balance);
    return balance;
  }

  snapshot(): Balances {
    return Object.fromEntries(this.#balances);
  }

  restore(balances: Balances): void {
    this.#balances = new Map(Object.entries(balances));
  }

  view(): ReadonlyMap<string, number> {
    return this.#balances;
  }
}

let running: { close(options: { handOver: boolean }): Promise<void> }[] = [];

afterEach(async () => {
  await Promise.all(running.map((each) => each.close({ handOver: false })));
  running = [];
});

async function start(options: Partial<BankOptions> = {}, sizes: MemberEnvironment['sizes'] = {}): Promise<Bank> {
  const all = { stateMachine: () => new BankMachine(), timing: TIMING, ...options } as BankOptions;
  const bank = await startReplicated(all, { sizes });
  running.push(bank);
  return bank;
}

async function trio(
  sizes: MemberEnvironment['sizes'] = {},
): Promise<{ network: LocalNetwork; leader: Bank; followers: readonly [Bank, Bank] }> {
  const network = new LocalNetwork();
  const members = ['a', 'b', 'c'].map((name, i) => ({ name, id: i + 1 }));
  const all = await Promise.all(members.map(({ name }) => start({ name, members, network }, sizes)));
  for (;;) {
    await all[0]?.propose({ account: 'nobody', amount: 0 });
    const leader = all.find((bank) => bank.status().role === 'leader');
    const [one, two] = all.filter((bank) => bank !== leader);
    if (leader !== undefined && one !== undefined && two !== undefined)
      return { network, leader, followers: [one, two] };
  }
}

const balanceOf = (account: string) => (view: ReadonlyMap<string, number>) => view.get(account) ?? 0;

describe('a replicated state machine', () => {
  it('answers each proposal with what its command gave, through whichever member', async () => {
    const { leader, followers } = await trio();
    expect(await leader.propose({ account: 'x', amount: 1 })).toBe(1);
    expect(await followers[0].propose({ account: 'x', amount: 2 })).toBe(3);
    expect(await followers[1].read(balanceOf('x'))).toBe(3);
  });

  it('reads its own member’s state at once, which may be behind, and the cluster’s where asked to', async () => {
    const { network, leader, followers } = await trio();
    const [one, two] = followers;
    network.cut(two.name);
    await leader.propose({ account: 'x', amount: 1 });
    expect(two.readLocal(balanceOf('x'))).toBe(0);
    await expect(two.read(balanceOf('x'), { timeoutMs: 20 })).rejects.toMatchObject({ code: 'Timeout' });
    expect(await one.read(balanceOf('x'))).toBe(1);
  });

  it('gives index and term of each result, which only grow over a change of leader', async () => {
    const { leader, followers } = await trio();
    const before = await leader.proposeAt({ account: 'x', amount: 1 });
    await leader.transferLeadership();
    const after = await followers[0].proposeAt({ account: 'x', amount: 1 });
    expect(after.index).toBeGreaterThan(before.index);
    expect(after.term).toBeGreaterThan(before.term);
  });

  it('refuses where it does not lead, if asked not to forward', async () => {
    const { leader, followers } = await trio();
    const proposal = followers[0].propose({ account: 'x', amount: 1 }, { forward: false });
    const error = await proposal.catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(NotLeaderError);
    expect(error).toMatchObject({ leader: { name: leader.name } });
  });

  it('is the same after a stop and a start on the same directory', async () => {
    const dataDirectory = await mkdtemp(join(tmpdir(), 'polder-replicated-'));
    const first = await start({ dataDirectory }, { snapshotEntries: 20, trailingEntries: 5 });
    await first.propose({ account: 'x', amount: 5 });
    const session = await first.session();
    const { token } = session;
    await session.propose({ account: 'x', amount: 1 });
    for (let i = 0; i < 50; i++) await first.propose({ account: 'y', amount: 1 });
    await first.close();
    expect((await readdir(dataDirectory)).some((file) => file.startsWith('snapshot'))).toBe(true);
    const again = await start({ dataDirectory }, { snapshotEntries: 20, trailingEntries: 5 });
    expect(await again.read(balanceOf('x'))).toBe(6);
    expect(await (await again.session(token)).propose({ account: 'x', amount: 1 })).toBe(6);
    expect(await again.read(balanceOf('x'))).toBe(6);
    await again.close();
    await rm(dataDirectory, { recursive: true });
  });

  it('comes to a member that was away as a snapshot, sessions included', async () => {
    const { network, leader, followers } = await trio({ snapshotEntries: 200, trailingEntries: 10 });
    const [one, two] = followers;
    network.cut(two.name);
    const session = await one.session();
    const { token } = session;
    expect(await session.propose({ account: 'x', amount: 7 })).toBe(7);
    const applied = on(two.events, 'applied');
    for (let round = 0; round < 10; round++) {
      await Promise.all(Array.from({ length: 300 }, () => leader.propose({ account: 'y', amount: 1 })));
    }
    const before = two.status().appliedIndex;
    network.heal(two.name);
    for await (const [{ index }] of applied) if (index > before + 1_000) break;
    expect(await two.read(balanceOf('y'))).toBe(3_000);
    expect(await (await two.session(token)).propose({ account: 'x', amount: 7 })).toBe(7);
    expect(await two.read(balanceOf('x'))).toBe(7);
  });

  it('that throws stops its member, and says at which entry', async () => {
    const bank = await start();
    await expect(bank.propose({ account: 'x', amount: -1 })).rejects.toMatchObject({ outcome: 'unknown' });
    expect(await bank.stopped).toMatchObject({ code: 'ApplyFailed', message: /entry \d+: a deposit is not negative/ });
  });

  it('takes no command that is too large', async () => {
    const bank = await start();
    const account = 'x'.repeat(1024 * 1024);
    await expect(bank.propose({ account, amount: 1 })).rejects.toMatchObject({ code: 'CommandTooLarge' });
  });
});

describe('a session of a replicated state machine', () => {
  it('R21, R27: a command that is tried again through another member happens once, and has the first one’s result', async () => {
    const { network, leader, followers } = await trio();
    const session = await leader.session();
    await session.propose({ account: 'x', amount: 1 });
    network.cut(leader.name);
    const lost = session.propose({ account: 'x', amount: 1 }, { timeoutMs: 10 }).catch((failure: unknown) => failure);
    expect(await lost).toMatchObject({ outcome: 'unknown' });
    const elsewhere = await followers[0].session(session.token);
    expect(await elsewhere.propose({ account: 'x', amount: 1 })).toBe(2);
    network.heal(leader.name);
    expect(await session.propose({ account: 'x', amount: 1 }, { retry: true })).toBe(2);
    expect(await leader.read(balanceOf('x'))).toBe(2);
    await expect(session.propose({ account: 'x', amount: 1 }, { retry: true })).rejects.toMatchObject({
      code: 'NothingToRetry',
    });
  });

  it('that has ended refuses what comes late, and is never brought back', async () => {
    const { leader, followers } = await trio();
    const session = await leader.session();
    const { token } = session;
    await session.propose({ account: 'x', amount: 1 });
    await session.close();
    await session.close();
    const late = await followers[0].session(token);
    await expect(late.propose({ account: 'x', amount: 1 })).rejects.toMatchObject({ code: 'SessionEnded' });
    expect(await leader.read(balanceOf('x'))).toBe(1);
  });

  it('that is continued with another command than the one before is refused', async () => {
    const { leader, followers } = await trio();
    const session = await leader.session();
    const { token } = session;
    await session.propose({ account: 'x', amount: 1 });
    const other = await followers[0].session(token);
    await expect(other.propose({ account: 'x', amount: 2 })).rejects.toMatchObject({ code: 'SessionMisused' });
  });

  it('does its commands in the order in which they were given', async () => {
    const { leader } = await trio();
    const session = await leader.session();
    const results = [1, 2, 3].map((amount) => session.propose({ account: 'x', amount }));
    expect(await Promise.all(results)).toEqual([1, 3, 6]);
  });
});

describe('verifyDeterminism', () => {
  interface Seen {
    readonly command: string;
  }

  /** `leak`: what does not belong in a state machine. */
  function recorder(leak: () => unknown, snapshots = true) {
    return class implements ReplicatedStateMachine<Seen, string, readonly string[], readonly string[]> {
      #seen: string[] = [];

      apply({ command }: Seen): string {
        this.#seen.push(`${command} ${String(leak())}`);
        return this.#seen.at(-1) ?? '';
      }

      snapshot(): readonly string[] {
        return snapshots ? this.#seen : [];
      }

      restore(seen: readonly string[]): void {
        this.#seen = [...seen];
      }

      view(): readonly string[] {
        return this.#seen;
      }
    };
  }

  async function why(machine: new () => ReplicatedStateMachine<Seen, string, readonly string[], readonly string[]>) {
    const replicated = await startReplicated({ stateMachine: () => new machine(), verifyDeterminism: true });
    running.push(replicated);
    await replicated.propose({ command: 'one' }).catch(() => null);
    const last = await replicated.propose({ command: 'two' }).catch((error: unknown) => error);
    return typeof last === 'string' ? last : ((await replicated.stopped)?.message ?? 'closed');
  }

  it('lets pass what is deterministic', async () => {
    expect(await why(recorder(() => new Date(0).getTime()))).toBe('two 0');
  });

  it('finds a clock and a die by name', async () => {
    expect(await why(recorder(() => Date.now()))).toMatch(/entry \d+, apply called Date\.now\(\)/);
    expect(await why(recorder(() => new Date()))).toMatch(/apply called new Date\(\)/);
    expect(await why(recorder(() => Math.random()))).toMatch(/apply called Math\.random\(\)/);
    expect(Date.now()).toBeGreaterThan(0);
  });

  it('finds what two machines do differently', async () => {
    let calls = 0;
    expect(await why(recorder(() => calls++))).toMatch(
      /the result differs when it is applied twice: "one 0" and "one 1"/,
    );
  });

  it('finds what a snapshot leaves out', async () => {
    class Forgetful extends recorder(() => '') {
      #count = 0;

      override apply(seen: Seen): string {
        this.#count++;
        return `${this.#count}${super.apply(seen)}`;
      }
    }
    expect(await why(Forgetful)).toMatch(/the result differs/);
    expect(await why(recorder(() => '', false))).toBe('two ');
  });
});
