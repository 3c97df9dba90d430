/** The status codes of gRPC that Polder answers with (gRPC's `statuscodes.md`). */
export const GrpcCode = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  resourceExhausted: 8,
  failedPrecondition: 9,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

/** A call that ended with a status other than OK. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError';
  readonly code: number;
  /** True only when the request certainly never left: then, and only then, it certainly had no effect. */
  readonly neverSent: boolean;

  constructor(code: number, message: string, options?: { neverSent?: boolean; cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.neverSent = options?.neverSent ?? false;
  }
}

/** gRPC's percent-encoding of `grpc-message`: printable ASCII but '%' stays as it is. */
export function encodeGrpcMessage(message: string): string {
  let encoded = '';
  for (const byte of new TextEncoder().encode(message)) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    encoded += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

/** A message that is not validly encoded is given as it came: an error text is never worth a second error. */
export function decodeGrpcMessage(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

const UNIT_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** The header `grpc-timeout` in milliseconds, at least 1 and within what a timer can hold; null when malformed. */
export function parseGrpcTimeout(value: string): number | null {
  const match = /^(\d{1,8})([HMSmun])$/.exec(value);
  if (match === null) return null;
  const milliseconds = Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? 0);
  return Math.min(Math.max(Math.ceil(milliseconds), 1), 2 ** 31 - 1);
}

export function formatGrpcTimeout(timeoutMs: number): string {
  const whole = Math.max(1, Math.ceil(timeoutMs));
  return whole < 1e8 ? `${whole}m` : `${Math.min(Math.ceil(whole / 1000), 99_999_999)}S`;
}
