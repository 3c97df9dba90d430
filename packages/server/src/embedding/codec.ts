import { text, utf8 } from '@polder/core';
import type { ValueCodec } from './state-machine.ts';

const NOTHING = new Uint8Array(0);

/** The default. `undefined`, the result of whoever returns nothing, is no bytes. */
export function jsonCodec<Value>(): ValueCodec<Value> {
  return {
    encode: (value) => (value === undefined ? NOTHING : utf8(JSON.stringify(value))),
    decode: (bytes) => (bytes.length === 0 ? undefined : JSON.parse(text(bytes))) as Value,
  };
}
