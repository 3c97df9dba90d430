/** Ends what it was given for, once; `using` does so at the end of the block. */
export interface Hold extends Disposable {
  release(): void;
}

export function hold(release: () => void): Hold {
  let held = true;
  const once = (): void => {
    if (!held) return;
    held = false;
    release();
  };
  return { release: once, [Symbol.dispose]: once };
}

/** Listeners are guests: one that throws changes no result and keeps no other from being told. */
export class Listeners<Event> {
  #listeners: readonly ((event: Event) => void)[] = [];
  #thrown = 0;

  get any(): boolean {
    return this.#listeners.length > 0;
  }

  /** How often a listener threw. */
  get thrown(): number {
    return this.#thrown;
  }

  subscribe(listener: (event: Event) => void): Hold {
    // A wrapper of its own, so that subscribing one function twice means two subscriptions.
    const own = (event: Event): void => listener(event);
    this.#listeners = [...this.#listeners, own];
    return hold(() => {
      this.#listeners = this.#listeners.filter((each) => each !== own);
    });
  }

  emit(event: Event): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch {
        this.#thrown++;
      }
    }
  }
}
