/** An operational error: expected in a world that breaks. `code` is stable; the message says what to do next. */
export class PolderError extends Error {
  override readonly name: string = 'PolderError';
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
