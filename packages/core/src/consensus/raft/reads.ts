import type { ByteReader, ByteWriter } from '../../base/bytes.ts';

interface LocalRead {
  readonly id: number;
  readonly deadlineUs: number;
  /** When to ask (again). */
  askUs: number;
  /** The newest request that covers it; 0: none yet. */
  batch: number;
}

/** A read, or a peer's batch of them, that waits for a majority to confirm that this member still leads (§8). */
interface Confirming {
  readonly from: number;
  readonly boot: number;
  /** A read's id if it is this member's own, else the peer's batch. */
  readonly id: number;
  index: number;
  /** 0: no round covers it yet. */
  round: number;
}

/** ReadIndex, batched (dissertation §6.4): one round of heartbeats confirms every read that came before it. */
export class Reads {
  #local = new Map<number, LocalRead>();
  #confirming: Confirming[] = [];
  #batch = 0;

  add(id: number, nowUs: number, deadlineUs: number): void {
    this.#local.set(id, { id, deadlineUs, askUs: nowUs, batch: 0 });
  }

  expire(nowUs: number): number[] {
    const expired = [...this.#local.values()].filter((read) => read.deadlineUs <= nowUs).map((read) => read.id);
    for (const id of expired) this.#local.delete(id);
    return expired;
  }

  /** A follower's request that covers every read due now; 0: there is none. */
  nextBatch(nowUs: number, againUs: number): number {
    const due = [...this.#local.values()].filter((read) => read.askUs <= nowUs);
    if (due.length === 0) return 0;
    this.#batch++;
    for (const read of due) {
      read.batch = this.#batch;
      read.askUs = againUs;
    }
    return this.#batch;
  }

  /** The leader answered a batch: these reads may be served at its index. */
  onBatch(batch: number): number[] {
    const ready = [...this.#local.values()].filter((read) => read.batch === batch).map((read) => read.id);
    for (const id of ready) this.#local.delete(id);
    return ready;
  }

  /** As a leader: its own reads wait for confirmation like any peer's. */
  confirmLocal(nowUs: number, self: number): void {
    for (const read of this.#local.values()) {
      if (read.askUs > nowUs) continue;
      read.askUs = Number.MAX_SAFE_INTEGER;
      this.#confirming.push({ from: self, boot: 0, id: read.id, index: 0, round: 0 });
    }
  }

  confirmPeer(from: number, boot: number, batch: number): void {
    if (this.#confirming.some((read) => read.from === from && read.boot === boot && read.id === batch)) return;
    this.#confirming.push({ from, boot, id: batch, index: 0, round: 0 });
  }

  /** Some read, its own or a peer's, waits for a majority's word. */
  get areConfirming(): boolean {
    return this.#confirming.length > 0;
  }

  get waitForRound(): boolean {
    return this.#confirming.some((read) => read.round === 0);
  }

  /** `index`: the commit index when the round begins. */
  startRound(round: number, index: number): void {
    for (const read of this.#confirming) {
      if (read.round !== 0) continue;
      read.round = round;
      read.index = index;
    }
  }

  confirmed(round: number): Confirming[] {
    const ready = this.#confirming.filter((read) => read.round !== 0 && read.round <= round);
    if (ready.length > 0) this.#confirming = this.#confirming.filter((read) => !ready.includes(read));
    return ready;
  }

  finishLocal(id: number): boolean {
    return this.#local.delete(id);
  }

  /** The leader changed: peers ask again by themselves, own reads are asked again. */
  askAgain(): void {
    this.#confirming = [];
    for (const read of this.#local.values()) read.askUs = 0;
  }

  deadlineUs(canAsk: boolean): number {
    let deadline = Number.POSITIVE_INFINITY;
    for (const read of this.#local.values()) {
      deadline = Math.min(deadline, read.deadlineUs, canAsk ? read.askUs : deadline);
    }
    return deadline;
  }

  save(writer: ByteWriter): void {
    writer.varint(this.#batch);
    writer.varint(this.#local.size);
    for (const read of this.#local.values()) {
      for (const value of [read.id, read.deadlineUs, read.askUs, read.batch]) writer.varint(value);
    }
    writer.varint(this.#confirming.length);
    for (const read of this.#confirming) {
      for (const value of [read.from, read.boot, read.id, read.index, read.round]) writer.varint(value);
    }
  }

  load(reader: ByteReader): void {
    this.#batch = reader.varint();
    this.#local = new Map();
    for (let left = reader.varint(); left > 0; left--) {
      const id = reader.varint();
      this.#local.set(id, { id, deadlineUs: reader.varint(), askUs: reader.varint(), batch: reader.varint() });
    }
    this.#confirming = [];
    for (let left = reader.varint(); left > 0; left--) {
      this.#confirming.push({
        from: reader.varint(),
        boot: reader.varint(),
        id: reader.varint(),
        index: reader.varint(),
        round: reader.varint(),
      });
    }
  }
}
