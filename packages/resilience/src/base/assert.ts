/** A bug in this package itself. */
class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Stays on in production. `message` is a literal, so that the happy path builds no string. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}
