/**
 * Causality for a Node service: requests that it gets and makes carry its vector clock and are logged, and whatever
 * runs below a handled request can log to the right service without being handed it.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingHttpHeaders, RequestListener, ServerResponse } from 'node:http';
import { PolderError } from '@polder/core';
import {
  type EventDetails,
  EventRecorder,
  extractClock,
  injectClock,
  type LoggedEvent,
  type Propagation,
  type VectorClock,
} from '@polder/core/clocks';
import { EventFile } from './event-file.ts';

export interface CausalServiceOptions {
  /** Its name in the log, new for each start; see `EventRecorderOptions`. */
  readonly process: string;
  /** A ShiViz file that does not exist yet; `polder trace` reads it. */
  readonly file: string;
  /** How clocks leave; both ways are understood when they come. Default: `header`. */
  readonly propagation?: Propagation;
}

export interface CausalCounters {
  /** Clocks that came and could not be read: the message counts as one without a clock. */
  readonly malformedClocks: number;
  /** Clocks that knew events of this process from before its start: likewise. */
  readonly forgottenPasts: number;
}

const current = new AsyncLocalStorage<CausalService>();

/** In the log of the service whose request is being handled; null, and logged nowhere, outside of one. */
export function logEvent(text: string, details?: EventDetails): LoggedEvent | null {
  return current.getStore()?.log(text, details) ?? null;
}

/** `fetch` from the service whose request is being handled; the plain one outside. */
export function causalFetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const service = current.getStore();
  return service === undefined ? fetch(input, init) : service.fetch(input, init);
}

export class CausalService {
  readonly #recorder: EventRecorder;
  readonly #file: EventFile;
  readonly #propagation: Propagation;
  #failure: unknown = null;
  #malformedClocks = 0;
  #forgottenPasts = 0;

  /** Throws `InvalidProcessName`, `EventLogExists`, or what opening the file threw. */
  constructor(options: CausalServiceOptions) {
    this.#recorder = new EventRecorder({ process: options.process, sink: (event) => this.#file.append(event) });
    this.#file = new EventFile(options.file);
    this.#propagation = options.propagation ?? 'header';
  }

  get counters(): CausalCounters {
    return { malformedClocks: this.#malformedClocks, forgottenPasts: this.#forgottenPasts };
  }

  /** What writing the log threw, after which nothing is logged and no clock leaves; null while all is well. */
  get failure(): unknown {
    return this.#failure;
  }

  /** A local event. null when the log has failed. */
  log(text: string, details?: EventDetails): LoggedEvent | null {
    return this.#record(() => this.#recorder.local(text, details));
  }

  /** Runs something that no request caused, such as a timer, so that `logEvent` and `causalFetch` below it are this service's. */
  run<Result>(action: () => Result): Result {
    return current.run(this, action);
  }

  /** For `http.createServer`, or around any framework's listener. Query strings are not logged. */
  handle(listener: RequestListener): RequestListener {
    return (request, response) => {
      const name = `${request.method ?? 'GET'} ${(request.url ?? '/').split('?', 1)[0]}`;
      this.#receive(request.headers, name);
      this.#sendWithHead(response, name);
      current.run(this, () => listener(request, response));
    };
  }

  /** As the global one; the answer's clock is received when its head has come. */
  async fetch(input: string | URL | Request, init: RequestInit = {}): Promise<Response> {
    const request = new Request(input, init);
    const { host, pathname } = new URL(request.url);
    const name = `${request.method} ${host}${pathname}`;
    const sent = this.#record(() => this.#recorder.send(name));
    if (sent !== null)
      for (const [header, value] of this.#headersOf(sent.clock, request.headers)) request.headers.set(header, value);
    const response = await fetch(request);
    this.#receive(Object.fromEntries(response.headers), `${response.status} ${name}`);
    return response;
  }

  close(): void {
    this.#file.close();
  }

  #receive(headers: IncomingHttpHeaders, text: string): void {
    this.#record(() => {
      let clock: VectorClock | null = null;
      try {
        clock = extractClock(headers);
        return this.#recorder.receive(clock, text);
      } catch (error) {
        if (!(error instanceof PolderError)) throw error;
        if (error.code === 'ForgottenPast') this.#forgottenPasts++;
        else this.#malformedClocks++;
        return this.#recorder.receive(null, text);
      }
    });
  }

  /** Node itself calls `writeHead` when nobody else has: the last moment at which a header can be set. */
  #sendWithHead(response: ServerResponse, name: string): void {
    const writeHead = response.writeHead.bind(response) as (...parameters: unknown[]) => ServerResponse;
    let recorded = false;
    response.writeHead = (...parameters: unknown[]) => {
      if (!recorded) {
        recorded = true;
        const status = typeof parameters[0] === 'number' ? parameters[0] : response.statusCode;
        const sent = this.#record(() => this.#recorder.send(`${status} ${name}`));
        if (sent !== null)
          for (const [header, value] of this.#headersOf(sent.clock, new Headers())) response.setHeader(header, value);
      }
      return writeHead(...parameters);
    };
  }

  /** None when the clock has outgrown a header: the receiver then learns nothing, which is less than it could. */
  #headersOf(clock: VectorClock, present: Headers): [string, string][] {
    const headers: Record<string, string> = {};
    const baggage = present.get('baggage');
    if (baggage !== null && this.#propagation === 'baggage') headers['baggage'] = baggage;
    try {
      injectClock(clock, headers, this.#propagation);
    } catch (error) {
      if (!(error instanceof PolderError)) throw error;
      return [];
    }
    return Object.entries(headers);
  }

  #record(action: () => LoggedEvent): LoggedEvent | null {
    if (this.#failure !== null) return null;
    try {
      return action();
    } catch (error) {
      // A log must not break the service that it watches; and after a failed write a line may be torn.
      this.#failure = error;
      return null;
    }
  }
}
