import type { Clock, Timer } from '../../core/clock.ts';
import { MillraceError } from '../../core/errors.ts';
import type { Offsets } from '../cursor/lanes.ts';
import { earlierOf, type StreamPosition } from '../cursor/stream-position.ts';
import { CatchUpReader } from './catch-up-reader.ts';
import type { Followed } from './followed.ts';
import type { ReaderLease } from './reader-lease.ts';

/** Where a reader is to begin. */
export interface CatchUpStart {
  readonly position: StreamPosition;
  /** It is for several positions, and begins where all of them can be reached from. */
  readonly isShared: boolean;
  /** The greatest R of them. */
  readonly furthest: Offsets;
}

export interface CatchUpOptions<S> {
  readonly clock: Clock;
  /** Opens a stream of its own; undefined: the project has as many as it may have. */
  readonly open: (start: CatchUpStart) => ReaderLease<S> | undefined;
  /** Calls `tell` once, when the project has one less. @returns ends that */
  readonly whenFree: (tell: () => void) => () => void;
  /** Whether somebody of the project waits for that, for whatever stream. */
  readonly isAwaited: () => boolean;
}

/** Those who come within this time may share a reader, in milliseconds. */
const gatherMs = 20;
/** How far apart they may be, in records: what a reader passes in a second or two. */
const nearRecords = 100_000;

interface Waiting<S extends Followed<unknown>> extends Wanting<S> {
  /** While its reader is being opened: gives it back. */
  release: (() => void) | undefined;
  isCancelled: boolean;
}

/** A reader for one subscriber, and what gives it back. */
export interface ReaderUse<S extends Followed<unknown>> {
  readonly reader: CatchUpReader<S>;
  readonly release: () => void;
}

/** Who wants a reader. One of these is called once, not in the midst of a turn; maybe at once. */
export interface Wanting<S extends Followed<unknown>> {
  readonly position: StreamPosition;
  /** It is to be a reader that begins at the position. */
  readonly isAlone: boolean;
  /** A reader that has come to the position, or will. It reads on when all who wait for it have it. */
  readonly take: (use: ReaderUse<S>) => void;
  /** With the `MillraceError` that the reader failed with: the log may no longer hold what follows the position. */
  readonly refuse: (error: unknown) => void;
}

/**
 * Readers that catch up from the log, for one project's view of one stream. One serves all whose positions it
 * has still to pass, or remembers: so however many come back at once, there are few. Who is far from the
 * others gets one of its own; when the project has as many as it may have, it waits for one that comes by, or
 * for its turn.
 */
export class CatchUp<S extends Followed<unknown>> {
  readonly #options: CatchUpOptions<S>;
  readonly #readers = new Set<CatchUpReader<S>>();
  readonly #waiting = new Set<Waiting<S>>();
  #timer: Timer | undefined;
  #stopWaiting: (() => void) | undefined;

  constructor(options: CatchUpOptions<S>) {
    this.#options = options;
  }

  get readers(): number {
    return this.#readers.size;
  }

  /** How many wait for a reader to be opened. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** @returns ends the wish; of no effect on a reader that was taken already */
  request(wanting: Wanting<S>): () => void {
    const { position, isAlone, take } = wanting;
    const reader = isAlone ? undefined : this.#readerFor(position, nearRecords);
    if (reader !== undefined) {
      take({ reader, release: reader.use() });
      return () => undefined;
    }
    const waiting: Waiting<S> = { ...wanting, release: undefined, isCancelled: false };
    this.#waiting.add(waiting);
    this.#schedule();
    return () => {
      waiting.isCancelled = true;
      this.#waiting.delete(waiting);
      if (this.#waiting.size === 0) this.#rest();
      waiting.release?.();
    };
  }

  /** The nearest one that has come to the position, or will. @param within so many records */
  #readerFor(position: StreamPosition, within: number): CatchUpReader<S> | undefined {
    let nearest: CatchUpReader<S> | undefined;
    let least = within;
    for (const reader of this.#readers) {
      if (!reader.reaches(position)) continue;
      const records = sumOf(position.next) - sumOf(reader.stream.position.next);
      if (records > least) continue;
      nearest = reader;
      least = records;
    }
    return nearest;
  }

  #schedule(): void {
    if (this.#waiting.size === 0) return;
    this.#timer ??= this.#options.clock.schedule(gatherMs, () => {
      this.#timer = undefined;
      this.#serve();
    });
  }

  /** Nobody waits any more. */
  #rest(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#stopWaiting?.();
    this.#stopWaiting = undefined;
  }

  /** As many readers as there may be, for all who wait. */
  #serve(): void {
    this.#attach(nearRecords);
    for (const group of neighboursOf(this.#waiting)) {
      if (this.#open(group)) continue;
      this.#attach(Number.POSITIVE_INFINITY);
      this.#waitForPlace();
      return;
    }
    this.#rest();
  }

  /** @returns false: the project has no place for a reader */
  #open(group: readonly Waiting<S>[]): boolean {
    try {
      const lease = this.#options.open(startOf(group));
      if (lease === undefined) return false;
      for (const waiting of group) this.#waiting.delete(waiting);
      void this.#begin(lease, group);
    } catch (error) {
      for (const waiting of group) {
        this.#waiting.delete(waiting);
        waiting.refuse(error);
      }
    }
    return true;
  }

  #waitForPlace(): void {
    if (this.#waiting.size === 0) return this.#rest();
    this.#stopWaiting ??= this.#options.whenFree(() => {
      this.#stopWaiting = undefined;
      this.#schedule();
    });
  }

  /** To the readers that there are. */
  #attach(within: number): void {
    for (const waiting of this.#waiting) {
      if (waiting.isAlone) continue;
      const reader = this.#readerFor(waiting.position, within);
      if (reader === undefined) continue;
      this.#waiting.delete(waiting);
      waiting.take({ reader, release: reader.use() });
    }
  }

  async #begin(lease: ReaderLease<S>, group: readonly Waiting<S>[]): Promise<void> {
    const reader = new CatchUpReader(lease, this.#options, () => this.#readers.delete(reader));
    this.#readers.add(reader);
    const uses = group.map((waiting) => {
      const release = reader.use();
      waiting.release = release;
      return { waiting, release };
    });
    try {
      await reader.started;
      for (const { waiting, release } of uses) {
        if (waiting.isCancelled) continue;
        waiting.release = undefined;
        waiting.take({ reader, release });
      }
      reader.begin();
    } catch (error) {
      this.#tellOf(error, group, lease);
    }
  }

  /** A loss is that of some of them only: the others try again. */
  #tellOf(error: unknown, group: readonly Waiting<S>[], lease: ReaderLease<S>): void {
    const wanted = group.filter(({ isCancelled }) => !isCancelled);
    const losses = wanted.map(({ position }) => lossOf(error, lease.concerned(error, position)));
    const isOfSome = losses.some((loss) => loss !== undefined);
    for (const [index, waiting] of wanted.entries()) {
      const loss = isOfSome ? losses[index] : error;
      if (loss === undefined) this.#waiting.add(waiting);
      else waiting.refuse(loss);
    }
    this.#schedule();
  }
}

/** In groups of those who are near one another. */
function neighboursOf<W extends Pick<Waiting<never>, 'position' | 'isAlone'>>(
  waiting: Iterable<W>,
): W[][] {
  const sorted = [...waiting].toSorted((a, b) => sumOf(a.position.next) - sumOf(b.position.next));
  const groups: W[][] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const each of sorted) {
    const at = sumOf(each.position.next);
    const isNear = at - last <= nearRecords && !each.isAlone;
    const group = isNear ? groups.at(-1) : undefined;
    if (group === undefined) groups.push([each]);
    else group.push(each);
    last = each.isAlone ? Number.NEGATIVE_INFINITY : at;
  }
  return groups;
}

function startOf([first, ...others]: readonly Pick<Waiting<never>, 'position'>[]): CatchUpStart {
  if (first === undefined) throw new Error('a reader for nobody');
  const position = others.reduce(
    (earliest, other) =>
      earlierOf(earliest, other.position, lowerOf(earliest.lowest, other.position.lowest)),
    first.position,
  );
  const furthest = others.reduce(
    (greatest, other) => greaterOf(greatest, other.position.next),
    first.position.next,
  );
  return { position, isShared: others.length > 0, furthest };
}

/** What of a loss that was found for several positions is one for this one; undefined: nothing. */
function lossOf(error: unknown, { lowest, next }: StreamPosition): MillraceError | undefined {
  if (!(error instanceof MillraceError)) return undefined;
  const { code, message, details } = error;
  const found = details.ranges ?? [];
  const isExpired = code === 'CURSOR_EXPIRED';
  const own = found
    .map(({ partition, from, to }) => ({
      partition,
      from: isExpired ? (lowest[partition] ?? 0) : from,
      to: isExpired ? to : (next[partition] ?? 0),
    }))
    .filter(({ from, to }) => from < to);
  return own.length > 0 ? new MillraceError(code, message, { ranges: own }) : undefined;
}

function lowerOf(a: readonly number[], b: readonly number[]): number[] {
  return a.slice(0, b.length).map((offset, lane) => Math.min(offset, b[lane] ?? 0));
}

function greaterOf(a: Offsets, b: Offsets): Offsets {
  const lanes = Math.max(a.length, b.length);
  return Array.from({ length: lanes }, (_, lane) => Math.max(a[lane] ?? 0, b[lane] ?? 0));
}

function sumOf(offsets: readonly number[]): number {
  return offsets.reduce((sum, offset) => sum + offset, 0);
}
