import type { Sequencer } from '../sequence/sequencer.ts';

export interface BalanceOptions {
  readonly maxHeldBytes: number;
  readonly pause: (partitions: readonly number[]) => void;
  readonly resume: (partitions: readonly number[]) => void;
}

/** Of `maxHeldBytes`: above the first part partitions that are ahead wait, below the second none does. */
const pauseAbove = 1 / 2;
const resumeBelow = 1 / 4;

/**
 * Keeps the ordering buffers small while the log is read faster than the slowest partition allows:
 * the partitions that are ahead wait.
 *
 * Invariants: only a partition that is ahead in every stream waits, so one that any stream waits for
 * is read; and after each answer while some wait, every stream is asked who is ahead, since asking is
 * what excuses the silence of those that wait (`Sequencer.partitionsAhead`).
 */
export class Balance {
  readonly #options: BalanceOptions;
  readonly #waiting = new Set<number>();

  constructor(options: BalanceOptions) {
    this.#options = options;
  }

  isWaiting(partition: number): boolean {
    return this.#waiting.has(partition);
  }

  /** After each answer. */
  adjust(sequencers: readonly Sequencer[]): void {
    const { maxHeldBytes } = this.#options;
    let heldBytes = 0;
    for (const sequencer of sequencers) heldBytes = Math.max(heldBytes, sequencer.heldBytes);
    const isFull = heldBytes > maxHeldBytes * pauseAbove;
    if (!isFull && this.#waiting.size === 0) return;
    const ahead = aheadInAll(sequencers);
    const resumed =
      heldBytes < maxHeldBytes * resumeBelow
        ? [...this.#waiting]
        : [...this.#waiting].filter((partition) => !ahead.has(partition));
    const paused = isFull ? [...ahead].filter((partition) => !this.#waiting.has(partition)) : [];
    for (const partition of paused) this.#waiting.add(partition);
    if (paused.length > 0) this.#options.pause(paused);
    this.#goOn(resumed);
  }

  /**
   * The slowest is silent and the others wait for it. If one of them answers, the silence is its own, and
   * counts as a stall; if none does, it is the cluster's, and proves nothing. One at a time, in turn, as
   * what it brings must be held.
   */
  probe(): void {
    const [probe] = this.#waiting;
    if (probe !== undefined) this.#goOn([probe]);
  }

  #goOn(partitions: readonly number[]): void {
    for (const partition of partitions) this.#waiting.delete(partition);
    if (partitions.length > 0) this.#options.resume(partitions);
  }
}

function aheadInAll(sequencers: readonly Sequencer[]): ReadonlySet<number> {
  const [first = new Set<number>(), ...others] = sequencers.map(
    (sequencer) => new Set(sequencer.partitionsAhead()),
  );
  return others.reduce((ahead, other) => ahead.intersection(other), first);
}
