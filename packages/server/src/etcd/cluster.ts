/** etcd's Cluster service and Maintenance.MoveLeader. Members have 64-bit ids here, and numbers inside. */
import { PolderError } from '@polder/core';
import {
  type Member,
  MemberAddRequest,
  MemberAddResponse,
  MemberListRequest,
  MemberListResponse,
  MemberPromoteRequest,
  MemberPromoteResponse,
  MemberRemoveRequest,
  MemberRemoveResponse,
  MemberUpdateRequest,
  MemberUpdateResponse,
  MoveLeaderRequest,
  MoveLeaderResponse,
} from '../generated/etcdserverpb/rpc.ts';
import { GrpcCode, GrpcError, type GrpcMethod } from '../grpc/index.ts';
import type { MembershipRequest, NumberedChange } from '../membership/request.ts';
import { storeError } from './errors.ts';
import { headerOf, unary } from './method.ts';
import type { ChangesMembership, Store, StoreMember } from './store.ts';

export function clusterMethods(store: Store, membership: ChangesMembership | null): [string, GrpcMethod][] {
  const list = unary('/etcdserverpb.Cluster/MemberList', MemberListRequest, MemberListResponse, (request, signal) =>
    memberList(store, request, signal),
  );
  if (membership === null) return [list];
  // etcd leaves the revision out of the answers of Cluster.
  const answer = () => ({ header: headerOf(store, 0), members: store.members().map(memberToWire) });
  const perform = (request: MembershipRequest, signal: AbortSignal): Promise<number> =>
    performed(membership, request, signal);
  const change = async (type: NumberedChange['type'], id: bigint, signal: AbortSignal) => {
    await perform({ type: 'change', changes: [{ type, member: numberOf(store, id) }], waits: false }, signal);
    return answer();
  };
  return [
    list,
    unary('/etcdserverpb.Cluster/MemberAdd', MemberAddRequest, MemberAddResponse, async (request, signal) => {
      const member = await memberAdd(store, perform, request, signal);
      return { ...answer(), member: member === undefined ? undefined : memberToWire(member) };
    }),
    unary('/etcdserverpb.Cluster/MemberRemove', MemberRemoveRequest, MemberRemoveResponse, ({ ID }, signal) =>
      change('remove', ID, signal),
    ),
    unary('/etcdserverpb.Cluster/MemberPromote', MemberPromoteRequest, MemberPromoteResponse, ({ ID }, signal) => {
      if (store.members().some(({ id, isLearner }) => id === ID && !isLearner)) {
        throw precondition('etcdserver: can only promote a learner member');
      }
      return change('promote', ID, signal);
    }),
    unary('/etcdserverpb.Cluster/MemberUpdate', MemberUpdateRequest, MemberUpdateResponse, async (request, signal) => {
      const member = numberOf(store, request.ID);
      await perform({ type: 'readdress', member, ...addressOf(request.peerURLs) }, signal);
      return answer();
    }),
    unary('/etcdserverpb.Maintenance/MoveLeader', MoveLeaderRequest, MoveLeaderResponse, async (request, signal) => {
      // etcd's clients look for the leader themselves.
      if (store.status().role !== 'leader') throw precondition('etcdserver: not leader');
      const target = store.members().find(({ id }) => id === request.targetID);
      if (target === undefined) throw precondition('etcdserver: bad leader transferee');
      await perform({ type: 'transfer', to: target.number }, signal);
      return { header: headerOf(store, store.status().revision) };
    }),
  ];
}

async function memberList(store: Store, request: MemberListRequest, signal: AbortSignal): Promise<MemberListResponse> {
  if (request.linearizable) {
    try {
      await store.confirm(signal);
    } catch (error) {
      throw storeError(error, signal);
    }
  }
  return { header: headerOf(store, 0), members: store.members().map(memberToWire) };
}

/** As in etcd, a voter is what is asked for unless a learner is; here it votes once it has caught up. */
async function memberAdd(
  store: Store,
  perform: (request: MembershipRequest, signal: AbortSignal) => Promise<number>,
  { peerURLs, isLearner }: MemberAddRequest,
  signal: AbortSignal,
): Promise<StoreMember | undefined> {
  if (store.members().some(({ peerUrls }) => peerUrls.some((url) => peerURLs.includes(url)))) {
    throw precondition('etcdserver: Peer URLs already exists');
  }
  const number = await perform({ type: 'add', ...addressOf(peerURLs) }, signal);
  if (!isLearner) {
    await perform({ type: 'change', changes: [{ type: 'promote', member: number }], waits: true }, signal);
  }
  // This member may hear of it a moment after the leader.
  while (!store.members().some((member) => member.number === number) && !signal.aborted) {
    await new Promise((wake) => setTimeout(wake, 5));
  }
  return store.members().find((member) => member.number === number);
}

async function performed(
  membership: ChangesMembership,
  request: MembershipRequest,
  signal: AbortSignal,
): Promise<number> {
  try {
    return await membership.perform(request, signal);
  } catch (error) {
    throw membershipError(error, signal);
  }
}

/** etcd's texts where etcd has one (etcd: api/v3rpc/rpctypes/error.go), else Polder's own sentence. */
function membershipError(error: unknown, signal: AbortSignal): unknown {
  if (!(error instanceof PolderError)) return error;
  switch (error.code) {
    case 'MemberNotFound':
      return new GrpcError(GrpcCode.notFound, 'etcdserver: member not found', { cause: error });
    case 'LearnerBehind':
      return precondition('etcdserver: can only promote a learner member which is in sync with leader', error);
    case 'NotEnoughStarted':
      return precondition('etcdserver: re-configuration failed due to not enough started members', error);
    case 'BadTransferee':
      return precondition('etcdserver: bad leader transferee', error);
    case 'NotLeader':
      return new GrpcError(GrpcCode.unavailable, 'etcdserver: leader changed', { cause: error });
    case 'ChangeUnderWay':
      return new GrpcError(GrpcCode.unavailable, 'etcdserver: request timed out', { cause: error });
    case 'NotReachable':
      return precondition(`${error.message}: start it with --join before it is added`, error);
    case 'InvalidChange':
    case 'NotJoining':
    case 'WrongCluster':
    case 'WrongMember':
    case 'VersionMismatch':
      return precondition(error.message, error);
    default:
      return storeError(error, signal);
  }
}

function addressOf(urls: readonly string[]): { host: string; port: number } {
  const [url = ''] = urls;
  const parsed = urls.length === 1 && URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || parsed.protocol !== 'http:' || parsed.port === '') {
    throw new GrpcError(GrpcCode.invalidArgument, 'etcdserver: given member URLs are invalid');
  }
  return { host: parsed.hostname.replace(/^\[|\]$/g, ''), port: Number(parsed.port) };
}

function numberOf(store: Store, id: bigint): number {
  const member = store.members().find((each) => each.id === id);
  if (member === undefined) throw new GrpcError(GrpcCode.notFound, 'etcdserver: member not found');
  return member.number;
}

function memberToWire(member: StoreMember): Member {
  return {
    ID: member.id,
    name: member.name,
    peerURLs: [...member.peerUrls],
    clientURLs: [...member.clientUrls],
    isLearner: member.isLearner,
  };
}

function precondition(text: string, cause?: PolderError): GrpcError {
  return new GrpcError(GrpcCode.failedPrecondition, text, cause === undefined ? undefined : { cause });
}
