export { ETCD_VERSION } from './errors.ts';
export { etcdMethods } from './service.ts';
export type { ChangesMembership, Store, StoreAnswer, StoreMember, StoreStatus } from './store.ts';
