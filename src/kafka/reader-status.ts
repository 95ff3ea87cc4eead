import type { KafkaError, ReaderStatus } from './port.ts';

/**
 * Derives the status of a reader from what was last heard of its partitions, and tells of it only
 * when it changes.
 *
 * A partition is out of reach from the first refusal until it is answered for again. `failed` is
 * final; after `close` nothing is told any more.
 */
export class ReaderStatusLine {
  #status: ReaderStatus = { state: 'starting' };
  #tell: ((status: ReaderStatus) => void) | null;
  readonly #outOfReach = new Map<number, KafkaError>();
  /** Why the reader does not even know its partitions; it heard of none since. */
  #nothingKnown: KafkaError | null = null;
  #answered = false;

  constructor(tell: (status: ReaderStatus) => void) {
    this.#tell = tell;
  }

  get status(): ReaderStatus {
    return this.#status;
  }

  /** A broker answered for these partitions. */
  reached(partitions: Iterable<number>): void {
    this.#answered = true;
    this.#nothingKnown = null;
    this.paused(partitions);
  }

  /** Nobody asks for these any more, so whether they could be read is not known. */
  paused(partitions: Iterable<number>): void {
    for (const partition of partitions) this.#outOfReach.delete(partition);
    this.#derive();
  }

  /** These cannot be read for now; none at all: the reader does not know its partitions yet. */
  lost(partitions: Iterable<number>, error: KafkaError): void {
    let none = true;
    for (const partition of partitions) {
      none = false;
      this.#outOfReach.set(partition, error);
    }
    if (none) this.#nothingKnown = error;
    this.#derive();
  }

  fail(error: KafkaError): void {
    this.#change({ state: 'failed', error });
  }

  close(): void {
    this.#tell = null;
  }

  #derive(): void {
    const [first] = this.#outOfReach.values();
    const error = first ?? this.#nothingKnown;
    if (error) {
      const partitions = [...this.#outOfReach.keys()].toSorted((a, b) => a - b);
      this.#change({ state: 'degraded', error, partitions });
    } else if (this.#answered) {
      this.#change({ state: 'running' });
    }
  }

  #change(next: ReaderStatus): void {
    if (this.#status.state === 'failed' || !this.#tell || same(this.#status, next)) return;
    this.#status = next;
    this.#tell(next);
  }
}

function same(a: ReaderStatus, b: ReaderStatus): boolean {
  if (a.state !== 'degraded' || b.state !== 'degraded') return a.state === b.state;
  return (
    a.error.code === b.error.code &&
    a.error.message === b.error.message &&
    a.partitions.join() === b.partitions.join()
  );
}
