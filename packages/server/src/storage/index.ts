export { LmdbEngine, type LmdbEngineOptions } from './lmdb-engine.ts';
export { LmdbStorage, type LmdbStorageOptions } from './lmdb-storage.ts';
