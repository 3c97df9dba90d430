/** One member as a child process, known by its handle: nothing is ever killed by name. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CommandError, ExitCode } from '../exit-code.ts';

const STOP_TIMEOUT_MS = 5_000;
const LOG_TAIL_CHARACTERS = 1_500;

const PROGRAM = fileURLToPath(new URL('../../bin/polder.js', import.meta.url));

export class MemberProcess {
  readonly name: string;
  readonly logPath: string;
  readonly #configPath: string;
  readonly #onExit: (member: MemberProcess, code: number | null) => void;
  #child: ChildProcess | null = null;
  #paused = false;

  constructor(
    name: string,
    configPath: string,
    logPath: string,
    onExit: (member: MemberProcess, code: number | null) => void,
  ) {
    this.name = name;
    this.logPath = logPath;
    this.#configPath = configPath;
    this.#onExit = onExit;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** The member stops by itself when its standard input ends, so it never outlives `polder up`. */
  start(): void {
    if (this.#child !== null) throw new CommandError(ExitCode.failure, `${this.name} is already running`);
    const log = openSync(this.logPath, 'a');
    const child = spawn(process.execPath, [PROGRAM, 'serve', '--config', this.#configPath, '--stop-with-stdin'], {
      stdio: ['pipe', log, log],
    });
    closeSync(log);
    child.stdin?.on('error', () => undefined);
    child.once('error', () => this.#ended(child, null));
    child.once('exit', (code) => this.#ended(child, code));
    this.#child = child;
    this.#paused = false;
  }

  /** SIGKILL: process death, without a chance to write anything more. */
  async kill(): Promise<void> {
    const child = this.#running();
    const ended = exited(child);
    child.kill('SIGKILL');
    await ended;
  }

  pause(): void {
    if (this.#paused) throw new CommandError(ExitCode.failure, `${this.name} is already paused`);
    this.#running().kill('SIGSTOP');
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) throw new CommandError(ExitCode.failure, `${this.name} is not paused`);
    this.#running().kill('SIGCONT');
    this.#paused = false;
  }

  /** SIGTERM, and SIGKILL if that takes too long. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    const ended = exited(child);
    child.kill('SIGTERM');
    // A stopped process acts on SIGTERM only once it is continued.
    if (this.#paused) child.kill('SIGCONT');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  }

  logTail(): string {
    try {
      return readFileSync(this.logPath, 'utf8').slice(-LOG_TAIL_CHARACTERS).trim();
    } catch {
      return '';
    }
  }

  #running(): ChildProcess {
    if (this.#child === null) throw new CommandError(ExitCode.failure, `${this.name} is not running`);
    return this.#child;
  }

  #ended(child: ChildProcess, code: number | null): void {
    if (this.#child !== child) return;
    this.#child = null;
    this.#paused = false;
    this.#onExit(this, code);
  }
}

function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}
