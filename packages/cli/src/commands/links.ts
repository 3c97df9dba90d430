/** Which faults on which member's links make a partition, and how they are undone. */
import type { Located } from '../cluster/locate.ts';
import { fetchStatus, type LinkFault, postLinks } from '../cluster/member-http.ts';
import { CommandError, ExitCode } from '../exit-code.ts';

export type LinkPlan = ReadonlyMap<string, readonly LinkFault[]>;

/** `a,b` → [a, b]; every name must be known and none repeated. */
export function parseGroup(text: string, known: readonly string[]): string[] {
  const names = text.split(',').map((name) => name.trim());
  for (const name of names) {
    if (!known.includes(name)) throw wrong(`there is no member "${name}"; there are ${known.join(', ')}`);
  }
  if (new Set(names).size !== names.length) throw wrong(`"${text}" names a member twice`);
  return names;
}

/** Blocks every link between different groups at both its ends; one way: only from an earlier group to a later one. */
export function planPartition(groups: readonly (readonly string[])[], oneWay: boolean): LinkPlan {
  if (groups.length < 2) throw wrong('a partition has at least two groups: polder partition m1,m2 m3,m4,m5');
  const all = groups.flat();
  if (new Set(all).size !== all.length) throw wrong('a member is in two groups');
  const plan = new Map<string, LinkFault[]>();
  groups.forEach((group, here) => {
    for (const name of group) {
      const faults = groups.flatMap((others, there) =>
        here === there
          ? []
          : others.map((peer): LinkFault => {
              const direction = oneWay ? (here < there ? 'out' : 'in') : 'both';
              return { peer, direction, mode: 'block' };
            }),
      );
      plan.set(name, faults);
    }
  });
  return plan;
}

export async function applyPlan(located: Located, plan: LinkPlan): Promise<void> {
  const chosen = located.members.filter((member) => plan.has(member.name));
  await Promise.all(chosen.map((member) => postLinks(member, plan.get(member.name) ?? [])));
}

/** Clears every fault on every member that answers; a dead one has none left when it comes back. Returns their names. */
export async function heal(located: Located): Promise<string[]> {
  const answering: string[] = [];
  await Promise.all(
    located.members.map(async (member) => {
      if ((await fetchStatus(member.url)) === null) return;
      await postLinks(member, [{ peer: '*', direction: 'both', mode: 'clear' }]);
      answering.push(member.name);
    }),
  );
  if (answering.length === 0) throw new CommandError(ExitCode.noCluster, 'no member answers');
  return answering.toSorted();
}

function wrong(message: string): CommandError {
  return new CommandError(ExitCode.unknown, message);
}
