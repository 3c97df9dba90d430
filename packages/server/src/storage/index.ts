export { LmdbEngine, type LmdbEngineOptions } from './lmdb-engine.ts';
export { LmdbStorage, type LmdbStorageOptions, type MemberStorage, type StorageUsage } from './lmdb-storage.ts';
export { QUOTA_BYTES, RESERVE_BYTES, Room, type RoomOptions } from './room.ts';
