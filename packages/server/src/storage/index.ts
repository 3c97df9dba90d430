export { LmdbEngine, type LmdbEngineOptions } from './lmdb-engine.ts';
export { LmdbStorage, type LmdbStorageOptions, type MemberStorage } from './lmdb-storage.ts';
