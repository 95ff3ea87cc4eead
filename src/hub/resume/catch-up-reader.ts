import type { Clock, Timer } from '../../core/clock.ts';
import { beginSpan } from '../../observe/tracing.ts';
import type { StreamPosition } from '../cursor/stream-position.ts';
import type { Followed } from './followed.ts';
import type { ReaderLease } from './reader-lease.ts';

/** A subscriber that a reader waits for. */
export interface Paced {
  /** What it has not taken of what it was given. */
  readonly backlogBytes: number;
  /** Calls `taken` once it has. */
  whenTaken(taken: () => void): void;
  /** It has kept the others waiting for too long: it is to go on by itself. */
  onTooSlow(): void;
}

export interface CatchUpReaderOptions {
  readonly clock: Clock;
  /** Whether somebody waits for a reader because there are as many as there may be. */
  readonly isAwaited: () => boolean;
}

/** For how long a reader waits for one of its subscribers, in milliseconds. */
const patienceMs = 2_000;

/**
 * A stream that catches up from the log by itself, for some subscribers. It reads at the pace of the
 * slowest of them, within a limit.
 */
export class CatchUpReader<S extends Followed<unknown>> {
  readonly stream: S;
  readonly #lease: ReaderLease<S>;
  readonly #options: CatchUpReaderOptions;
  readonly #close: () => void;
  readonly #paced = new Set<Paced>();
  /** Those it waits for. */
  readonly #waitsFor = new Set<Paced>();
  /** Those who have yet to tell that they have taken everything, whether it still waits for them or not. */
  readonly #asked = new Set<Paced>();
  #leases = 0;
  #hasBegun = false;
  #patience: Timer | undefined;

  /** @param onClose called once, when nobody needs it any more or it has failed */
  constructor(lease: ReaderLease<S>, options: CatchUpReaderOptions, onClose: () => void) {
    this.#lease = lease;
    this.#options = options;
    this.stream = lease.stream;
    const unwatch = lease.stream.watchTurns(() => this.#pace());
    // Until those are there for whom it reads: what it emits before may be forgotten when they come.
    lease.pause();
    const endSpan = beginSpan('millrace.catch-up', { 'millrace.topic': lease.kafkaTopic });
    let isClosed = false;
    this.#close = () => {
      if (isClosed) return;
      isClosed = true;
      this.#patience?.cancel();
      onClose();
      unwatch();
      lease.release();
      endSpan(lease.stream.endError);
    };
    lease.started.catch(this.#close);
  }

  /** It has delivered all that the log had. On a busy topic, where something is always held, the live stream takes over. */
  get hasCaughtUp(): boolean {
    return this.#lease.hasCaughtUp;
  }

  /** Whether it will come to the position, or remembers what follows it. Not to be asked in its turns. */
  reaches(position: StreamPosition): boolean {
    const { stream } = this;
    return (
      stream.hasBegun &&
      !stream.hasEnded &&
      stream.after(position) !== 'gone' &&
      this.#lease.holds(position)
    );
  }

  /** Resolves when it reads; rejects with the `MillraceError` that prevents it. */
  get started(): Promise<void> {
    return this.#lease.started;
  }

  /** @returns gives it back; the last one closes it */
  use(): () => void {
    this.#leases += 1;
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      this.#leases -= 1;
      if (this.#leases === 0) this.#close();
    };
  }

  /** Reads on. To be called once, when it has started. */
  begin(): void {
    this.#hasBegun = true;
    this.#pace();
    if (this.#waitsFor.size === 0) this.#lease.resume();
  }

  /** Waits for this one from now on, as it has come to where it stands. @returns ends that */
  addPaced(paced: Paced): () => void {
    this.#paced.add(paced);
    if (this.#hasBegun) this.#pace();
    return () => {
      this.#paced.delete(paced);
      this.#asked.delete(paced);
      if (this.#waitsFor.delete(paced)) this.#goOn();
    };
  }

  /** After each turn: those who have not taken what they were given are waited for. */
  #pace(): void {
    for (const paced of this.#paced) {
      if (paced.backlogBytes === 0 || this.#waitsFor.has(paced)) continue;
      if (this.#waitsFor.size === 0) this.#wait();
      this.#waitsFor.add(paced);
      if (this.#asked.has(paced)) continue;
      this.#asked.add(paced);
      paced.whenTaken(() => {
        this.#asked.delete(paced);
        if (this.#waitsFor.delete(paced)) this.#goOn();
      });
    }
  }

  #wait(): void {
    this.#lease.pause();
    const { clock, isAwaited } = this.#options;
    this.#patience = clock.schedule(patienceMs, () => {
      const slow = [...this.#waitsFor];
      this.#waitsFor.clear();
      this.#goOn();
      // Alone it keeps nobody waiting but itself and those for whom there is no reader; some may have still to be reached.
      if (this.#leases > 1 || isAwaited()) for (const paced of slow) paced.onTooSlow();
      else this.#pace();
    });
  }

  #goOn(): void {
    if (this.#waitsFor.size > 0) return;
    this.#patience?.cancel();
    this.#patience = undefined;
    this.#lease.resume();
  }
}
