import type { PartitionOffsets } from '../kafka/port.ts';
import type { StreamPosition } from './cursor/stream-position.ts';
import type { Start } from './feed-start.ts';

/** How far a feed has read each partition, and how far the log is known to reach. */
export class ReadProgress {
  /** From where on records are for the streams: those before are only asked for their ids. */
  readonly #from = new Map<number, number>();
  /** Next offset of each partition. */
  readonly #next = new Map<number, number>();
  readonly #highWatermarks = new Map<number, number>();
  #hasCaughtUp = false;

  begin({ offsets, readFrom }: Pick<Start, 'offsets' | 'readFrom'>): void {
    for (const [partition, offset] of offsets) this.#from.set(partition, offset);
    for (const [partition, offset] of readFrom) this.#next.set(partition, offset);
  }

  /** A partition that was not there at the start. */
  addPartition(partition: number, offset: number): void {
    this.#next.set(partition, offset);
  }

  /** What lies below `nextOffset` has been taken in. */
  advance(partition: number, nextOffset: number, highWatermark: number): void {
    this.#next.set(partition, nextOffset);
    this.#highWatermarks.set(partition, highWatermark);
  }

  /** Where reading stands, by partition. */
  get next(): PartitionOffsets {
    return this.#next;
  }

  /** All that the log had has been read once. */
  get hasCaughtUp(): boolean {
    return this.#hasCaughtUp;
  }

  /** Records that are known to be in the log and have not been read. */
  get lag(): number {
    let lag = 0;
    for (const [partition, end] of this.#highWatermarks) {
      lag += Math.max(0, end - (this.#next.get(partition) ?? 0));
    }
    return lag;
  }

  /** Below these offsets nothing more is handed out. */
  get passed(): PartitionOffsets {
    if (!this.#isWarmingUp()) return this.#next;
    return new Map(
      Array.from(this.#next, ([partition, next]) => [
        partition,
        Math.max(next, this.#from.get(partition) ?? 0),
      ]),
    );
  }

  /** What is known to be in the log lies below these offsets. */
  get recorded(): PartitionOffsets {
    return new Map(
      Array.from(this.#next, ([partition, next]) => [
        partition,
        Math.max(next, this.#highWatermarks.get(partition) ?? 0),
      ]),
    );
  }

  /** From where on records of a partition are for the streams. */
  fromOf(partition: number): number {
    return this.#from.get(partition) ?? 0;
  }

  /** Whether the log is known to reach as far as a position; it may have been cut off. */
  holds({ next }: StreamPosition): boolean {
    return next.every((end, partition) => {
      const known = this.#highWatermarks.get(partition) ?? 0;
      return end <= Math.max(known, this.#next.get(partition) ?? 0);
    });
  }

  /** Has `hasCaughtUp` be true from the first time on that it is. */
  lookForEnd(): void {
    if (this.#hasCaughtUp) return;
    for (const [partition, next] of this.#next) {
      if (next < (this.#highWatermarks.get(partition) ?? Number.POSITIVE_INFINITY)) return;
    }
    this.#hasCaughtUp = true;
  }

  #isWarmingUp(): boolean {
    for (const [partition, from] of this.#from) {
      if ((this.#next.get(partition) ?? 0) < from) return true;
    }
    return false;
  }
}
