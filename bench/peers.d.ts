/** opossum brings no types; this is what the benchmarks use of it. */
declare module 'opossum' {
  interface Options {
    timeout?: number | false;
    errorThresholdPercentage?: number;
    resetTimeout?: number;
    volumeThreshold?: number;
    rollingCountTimeout?: number;
    capacity?: number;
    errorFilter?: (error: unknown) => boolean;
  }
  export default class CircuitBreaker {
    constructor(action: (...parameters: never[]) => Promise<unknown>, options?: Options);
    fire(...parameters: unknown[]): Promise<unknown>;
    fallback(give: () => unknown): this;
    on(event: string, listener: (...parameters: unknown[]) => void): this;
    open(): void;
    close(): void;
    shutdown(): void;
    readonly opened: boolean;
    readonly halfOpen: boolean;
    readonly closed: boolean;
  }
}
