/**
 * Watches what becomes of proposals; it decides nothing, is no part of a driver's state, and a driver without one pays a
 * branch for each call. It gets ids and indexes but no times: whoever wants them reads a clock, the machine's or
 * the simulator's.
 */
export interface DriverObserver<Message> {
  /** A proposal was given to the replica; ids ascend. */
  onProposed(id: number): void;
  /** A peer's message, before the replica sees it. */
  onMessage(from: number, message: Message): void;
  /** An entry, of whoever's proposal, waits for the next group. An index may come again: it supersedes what was there. */
  onAppended(index: number): void;
  /** What was appended until now is written and synced, as one group; one at a time. */
  onWriting(): void;
  /** The group is durable here. */
  onDurable(): void;
  /** This member knows that the entry is committed. */
  onCommitted(index: number): void;
  /** Entries are about to be applied; `onApplied` follows before anything else does. */
  onApplying(): void;
  /** Everything up to `index` is applied, and answered where the proposal was this member's. */
  onApplied(index: number): void;
}
