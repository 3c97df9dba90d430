/** Ctrl-C ends the work and leaves a summary; a second one ends the process, as ever. */
export async function interruptible<T>(body: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const onSignal = (): void => controller.abort();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.once(signal, onSignal);
  try {
    return await body(controller.signal);
  } finally {
    for (const signal of signals) process.removeListener(signal, onSignal);
  }
}
