export { LmdbEngine, type LmdbEngineOptions } from './lmdb-engine.ts';
