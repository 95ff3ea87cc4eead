import type { Clock, Timer } from '../../core/clock.ts';
import { earlierOf, type StreamPosition } from '../cursor/stream-position.ts';
import type { FeedLease } from '../feed-registry.ts';
import type { StreamKey } from '../stream.ts';
import { CatchUpReader } from './catch-up-reader.ts';

/** Where a reader is to begin. */
export interface CatchUpStart {
  readonly position: StreamPosition;
  /** It is for several positions, and begins where all of them can be reached from. */
  readonly isShared: boolean;
}

export interface CatchUpOptions {
  readonly key: StreamKey;
  readonly clock: Clock;
  /** Most readers at a time; who comes then waits for one of them, or for its turn. */
  readonly maxReaders: number;
  /** Opens a feed of its own. @throws {MillraceError} `LIMIT_EXCEEDED`: the project has too many */
  readonly open: (start: CatchUpStart) => FeedLease;
  /** Called when there is no reader left and nobody waits for one. */
  readonly onIdle: () => void;
}

/** Those who come within this time share a reader, in milliseconds. */
const gatherMs = 20;

interface Waiting {
  readonly position: StreamPosition;
  readonly take: (use: ReaderUse) => void;
  readonly reject: (error: unknown) => void;
}

/** A reader for one subscriber, and what gives it back. */
export interface ReaderUse {
  readonly reader: CatchUpReader;
  readonly release: () => void;
}

/**
 * Readers that catch up from the log, for one stream. One serves all whose positions it has still to
 * pass, or remembers: so however many come back at once, there are few.
 */
export class CatchUp {
  readonly #options: CatchUpOptions;
  readonly #readers = new Set<CatchUpReader>();
  #waiting: Waiting[] = [];
  #timer: Timer | undefined;

  constructor(options: CatchUpOptions) {
    this.#options = options;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /**
   * A reader that has come to the position, or will. Rejects with the `MillraceError` that the reader failed
   * with: the log may no longer hold what follows the position.
   */
  use(position: StreamPosition): Promise<ReaderUse> {
    for (const reader of this.#readers) {
      if (!reader.stream.hasBegun || reader.stream.after(position) === 'gone') continue;
      return Promise.resolve({ reader, release: reader.use() });
    }
    const { promise, resolve, reject } = Promise.withResolvers<ReaderUse>();
    this.#waiting.push({ position, take: resolve, reject });
    this.#schedule();
    return promise;
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#readers.size >= this.#options.maxReaders) return;
    this.#timer = this.#options.clock.schedule(gatherMs, () => {
      this.#timer = undefined;
      void this.#serve(this.#waiting.splice(0));
    });
  }

  async #serve(waiting: readonly Waiting[]): Promise<void> {
    const [first, ...others] = waiting;
    if (first === undefined) return;
    const position = others.reduce(
      (earliest, other) =>
        earlierOf(earliest, other.position, lowerOf(earliest.lowest, other.position.lowest)),
      first.position,
    );
    let reader: CatchUpReader;
    try {
      reader = this.#open({ position, isShared: others.length > 0 });
    } catch (error) {
      for (const { reject } of waiting) reject(error);
      return;
    }
    const uses = waiting.map(() => ({ reader, release: reader.use() }));
    try {
      await reader.started;
      for (const [index, { take }] of waiting.entries()) {
        const use = uses[index];
        if (use !== undefined) take(use);
      }
    } catch (error) {
      for (const { release } of uses) release();
      // One of them may be the reason, and the others not: each asks again by itself.
      if (others.length === 0) first.reject(error);
      else for (const each of waiting) void this.#serve([each]);
    }
  }

  #open(start: CatchUpStart): CatchUpReader {
    const { key, clock, open } = this.#options;
    const reader = new CatchUpReader(open(start), key, clock, () => {
      this.#readers.delete(reader);
      if (this.#waiting.length > 0) this.#schedule();
      else if (this.#readers.size === 0) this.#options.onIdle();
    });
    this.#readers.add(reader);
    return reader;
  }
}

function lowerOf(a: readonly number[], b: readonly number[]): number[] {
  return a.slice(0, b.length).map((offset, lane) => Math.min(offset, b[lane] ?? 0));
}
