/** @packageDocumentation Replicas as pure state machines, their driver, a simulated world and consistency checkers. */
export { AssertionError, assert, defined, unreachable } from './base/assert.ts';
export { ByteReader, ByteWriter, compareBytes, equalBytes, text, utf8 } from './base/bytes.ts';
export { crc32c } from './base/crc32c.ts';
export { PolderError } from './base/error.ts';
export { draw, type Random, scaled } from './base/random.ts';
export * from './checkers/index.ts';
export * from './clocks/index.ts';
export { CONFIGURED_MEMBERS_MAX, changed, mayVote, memberOf } from './consensus/configuration.ts';
export * from './consensus/raft/index.ts';
export type * from './consensus/replica.ts';
export { SessionTable } from './consensus/sessions.ts';
export type * from './consensus/state-machine.ts';
export * from './driver/index.ts';
export * from './kv/index.ts';
export { Log, type LogOptions } from './log/index.ts';
export type * from './world/world.ts';
