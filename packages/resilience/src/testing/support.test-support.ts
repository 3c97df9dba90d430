/** What the tests of the policies share. */
import { VirtualPlatform } from './virtual-platform.ts';

export { VirtualPlatform };

/** Work that ends when the test says so, and heeds no signal. */
export class Deferred<T> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;
  reject!: (error: unknown) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

/** A failure that tells nothing more. */
export const failure = (): Error => new Error('the backend failed');

/** A refused connection: certainly not carried out. */
export const refused = (): Error => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

/** A broken connection: perhaps carried out. */
export const broken = (): Error => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

/** An HTTP error as clients throw it. */
export const status = (code: number): Error => Object.assign(new Error(`HTTP ${code}`), { status: code });

/** What a promise has come to so far, without waiting for it. */
export function watch<T>(promise: Promise<T>): { state: 'pending' | 'ok' | 'failed'; value?: T; error?: unknown } {
  const seen: { state: 'pending' | 'ok' | 'failed'; value?: T; error?: unknown } = { state: 'pending' };
  promise.then(
    (value) => {
      seen.state = 'ok';
      seen.value = value;
    },
    (error: unknown) => {
      seen.state = 'failed';
      seen.error = error;
    },
  );
  return seen;
}
