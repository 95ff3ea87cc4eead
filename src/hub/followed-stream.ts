import type { Clock, Timer } from '../core/clock.ts';
import type { LostRange } from '../core/errors.ts';
import type { StreamPosition } from './cursor/stream-position.ts';
import type { Replay } from './history/replay.ts';
import type { Followed } from './resume/followed.ts';

/** Half of what a client may be without a sign of progress for, in milliseconds. */
const progressIntervalMs = 7_500;

/** What streams of events and of dead letters have in common: turns, an end, and signs of progress in between. */
export abstract class FollowedStream<Item> implements Followed<Item> {
  readonly #clock: Clock;
  /** Those who want to know of the end of each turn. */
  readonly #onTurn = new Set<() => void>();
  /** Those who want to know of its end without being subscribed here. */
  readonly #onEnd = new Set<(error: Error | undefined) => void>();
  #ended: { readonly error: Error | undefined } | undefined;
  #progressTimer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  abstract get hasBegun(): boolean;

  abstract get position(): StreamPosition;

  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  get endError(): Error | undefined {
    return this.#ended?.error;
  }

  abstract after(position: StreamPosition): Replay<Item> | 'gone' | 'ahead';

  abstract meet(position: StreamPosition): void;

  abstract lostOf(position: StreamPosition): LostRange[];

  watchTurns(listener: () => void): () => void {
    this.#onTurn.add(listener);
    return () => this.#onTurn.delete(listener);
  }

  watchEnd(listener: (error: Error | undefined) => void): () => void {
    if (this.#ended !== undefined) listener(this.#ended.error);
    else this.#onEnd.add(listener);
    return () => this.#onEnd.delete(listener);
  }

  /** Stops its timer. */
  close(): void {
    this.#progressTimer?.cancel();
  }

  /** Tells every subscription how far the stream has come. */
  protected abstract progress(): void;

  /** Ends every subscription, with `error` if there is one. */
  protected abstract endSubscriptions(error: Error | undefined): void;

  /** From now on there are signs of progress, once it has begun. */
  protected scheduleProgress(): void {
    this.#progressTimer = this.#clock.schedule(progressIntervalMs, () => {
      if (this.hasBegun) this.progress();
      this.scheduleProgress();
    });
  }

  /** What was due in a turn has been handed out. */
  protected tellTurn(): void {
    for (const listener of this.#onTurn) listener();
  }

  /** Nothing more comes. */
  protected over(error: Error | undefined): void {
    this.#ended = { error };
    this.close();
    this.endSubscriptions(error);
    for (const listener of this.#onEnd) listener(error);
    this.#onEnd.clear();
  }
}
