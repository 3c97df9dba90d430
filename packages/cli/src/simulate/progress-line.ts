/** How far it is: a line that is written over on a terminal, else a line now and then. On stderr. */
import type { Terminal } from '../terminal.ts';

const REWRITE_EVERY_MS = 200;
const LINE_EVERY_MS = 10_000;

interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export class ProgressLine {
  readonly #terminal: Terminal;
  readonly #screen: Screen;
  readonly #text: (forScreen: boolean) => string;
  readonly #timer: NodeJS.Timeout;

  /** `text` is asked whenever a line is due; '': there is nothing to say. */
  constructor(terminal: Terminal, text: (forScreen: boolean) => string, screen: Screen = process.stderr) {
    this.#terminal = terminal;
    this.#screen = screen;
    this.#text = text;
    this.#timer = setInterval(() => this.#show(), screen.isTTY === true ? REWRITE_EVERY_MS : LINE_EVERY_MS);
    this.#timer.unref();
  }

  /** A line that stays. */
  say(text: string): void {
    this.#clear();
    this.#terminal.progress(text);
  }

  end(): void {
    clearInterval(this.#timer);
    this.#clear();
  }

  #show(): void {
    const { isTTY, columns = 80 } = this.#screen;
    const text = this.#text(isTTY === true);
    if (text === '') return;
    if (isTTY !== true) this.#terminal.progress(text);
    else this.#screen.write(`\r\u001b[K${text.slice(0, columns - 1)}`);
  }

  #clear(): void {
    if (this.#screen.isTTY === true) this.#screen.write('\r\u001b[K');
  }
}
