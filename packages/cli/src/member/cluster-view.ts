import type { Located } from '../cluster/locate.ts';
import { type ConfiguredMember, fetchStatus, isLeader, isMember, type MemberStatus } from '../cluster/member-http.ts';
import { CommandError, ExitCode } from '../exit-code.ts';

/** Who the members are, as the leader, or else whoever knows most, has it. */
export interface ClusterView {
  readonly members: readonly ConfiguredMember[];
  readonly nextMember: number;
  /** null: none is known. */
  readonly leader: string | number | null;
  readonly commit: number;
}

export async function viewCluster(located: Located): Promise<ClusterView> {
  const statuses = await Promise.all(located.members.map(({ url }) => fetchStatus(url)));
  const known = statuses.filter((status) => status !== null && isMember(status)) as MemberStatus[];
  const best = known.toSorted((a, b) => rank(b) - rank(a) || b.configuration.index - a.configuration.index)[0];
  if (best === undefined) throw new CommandError(ExitCode.noCluster, 'no member of the cluster answers');
  const { members, configuration, leader, commit } = best;
  return { members, nextMember: configuration.nextMember, leader, commit };
}

function rank(status: MemberStatus): number {
  return isLeader(status) ? 1 : 0;
}

export function memberNamed(view: ClusterView, name: string): ConfiguredMember {
  const found = view.members.find((member) => member.name === name);
  if (found !== undefined) return found;
  const names = view.members.map((member) => member.name).join(', ');
  throw new CommandError(ExitCode.failure, `there is no member "${name}"; there are ${names}`);
}
