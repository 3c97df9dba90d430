/**
 * Alarms rise and end by themselves, with the room that there is, and each member knows its own: there is nothing to
 * disarm, and a disarming is answered with what is left.
 */
import {
  AlarmRequest_AlarmAction as AlarmAction,
  AlarmRequest,
  AlarmResponse,
  AlarmType,
} from '../generated/etcdserverpb/rpc.ts';
import { GrpcCode, GrpcError, type GrpcMethod } from '../grpc/index.ts';
import { headerOf, idOf, unary } from './method.ts';
import type { Store } from './store.ts';

export function alarmMethod(store: Store): [string, GrpcMethod] {
  return unary('/etcdserverpb.Maintenance/Alarm', AlarmRequest, AlarmResponse, async ({ action, memberID, alarm }) => {
    if (action === AlarmAction.ACTIVATE) {
      throw new GrpcError(GrpcCode.invalidArgument, 'alarms are raised by members alone');
    }
    const { member, noSpace, revision } = store.status();
    const self = idOf(store, member);
    const isAsked = (memberID === 0n || memberID === self) && (alarm === AlarmType.NONE || alarm === AlarmType.NOSPACE);
    return {
      header: headerOf(store, revision),
      alarms: noSpace && isAsked ? [{ memberID: self, alarm: AlarmType.NOSPACE }] : [],
    };
  });
}

/** Of a status, as etcd writes them. */
export function errorsOf(store: Store): string[] {
  const { leader, member, noSpace } = store.status();
  const errors = leader === 0 ? ['etcdserver: no leader'] : [];
  return noSpace ? [...errors, `memberID:${idOf(store, member)} alarm:NOSPACE `] : errors;
}
