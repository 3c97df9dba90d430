/** Requests of etcd's API as bytes, and templates of them in which only the key's digits change. */

export const PUT = '/etcdserverpb.KV/Put';
export const RANGE = '/etcdserverpb.KV/Range';

export type Operation = 'put' | 'read' | 'serializable';

const KEY_PREFIX = 'bench/';
const KEY_DIGITS = 10;

/** The same memory each time: to be sent, or copied, before the next one. */
export type Request = (number: number) => Uint8Array;

export function pathOf(operation: Operation): string {
  return operation === 'put' ? PUT : RANGE;
}

export function requestOf(operation: Operation, value: Uint8Array): Request {
  const key = Buffer.from(KEY_PREFIX + '0'.repeat(KEY_DIGITS));
  const message = Buffer.from([...field(1, key), ...rest(operation, value)]);
  const digits = message.indexOf(key) + KEY_PREFIX.length;
  return (number) => {
    let left = number;
    for (let at = digits + KEY_DIGITS - 1; at >= digits; at--) {
      message[at] = 0x30 + (left % 10);
      left = Math.floor(left / 10);
    }
    return message;
  };
}

function rest(operation: Operation, value: Uint8Array): Uint8Array {
  switch (operation) {
    case 'put':
      return field(2, value);
    case 'read':
      return new Uint8Array(0);
    case 'serializable':
      return new Uint8Array([(7 << 3) | 0, 1]);
  }
}

/** A field of bytes, as protobuf writes it. */
function field(number: number, bytes: Uint8Array): Uint8Array {
  const head = [(number << 3) | 2];
  let length = bytes.length;
  for (; length >= 0x80; length = Math.floor(length / 128)) head.push((length & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...head, length]), bytes]);
}
