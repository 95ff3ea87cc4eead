import type { Event } from '../../decode/event.ts';
import type { StreamPosition } from '../cursor/stream-position.ts';
import type { Replay } from '../history/replay.ts';
import type { StreamMessage } from '../history/stream-message.ts';
import type { JoinPoint } from '../join-point.ts';
import type { Message } from '../message.ts';
import { type Parcel, parcelOf } from '../parcel.ts';
import type { Stream } from '../stream.ts';
import type { Subscription } from '../subscription.ts';
import type { CatchUp, ReaderUse } from './catch-up.ts';

/** What a subscriber wants of a stream, whichever it is served by. */
export interface Following<Item extends Message> {
  /** From here on it gets what the stream emits. @returns the function that takes it out again */
  join(stream: Stream, subscription: Subscription<Item>, join?: JoinPoint): () => void;
  /** Of these messages what the subscriber wants, as it wants them. */
  select(stream: Stream, messages: readonly StreamMessage<Event>[]): readonly Item[];
}

export interface FollowerOptions<Item extends Message> {
  readonly live: Stream;
  readonly catchUp: CatchUp;
  readonly following: Following<Item>;
  readonly subscription: Subscription<Item>;
}

/** Messages that are looked at for one parcel of a replay. */
const messagesPerParcel = 256;

/**
 * Leads one subscriber from a position to the live stream, exactly: from what is remembered if it is
 * remembered, else with a reader that catches up from the log (docs/adr/0005). Back-pressure is the subscriber's
 * own: nothing is handed to one that has not taken what it was given before.
 */
export class Follower<Item extends Message> {
  readonly #options: FollowerOptions<Item>;
  /** Gives up the way in which it is served at the moment. */
  #leave: (() => void) | undefined;
  /** Counts the ways: one that has been given up must not go on. */
  #way = 0;
  #isStopped = false;

  constructor(options: FollowerOptions<Item>) {
    this.#options = options;
  }

  /**
   * Goes on from a position. Not in the midst of a turn.
   *
   * @returns resolves when the subscriber is being served, or waits for its turn; rejects with a
   *   `MillraceError` when the log no longer holds what follows the position
   */
  async resume(position: StreamPosition): Promise<void> {
    if (this.#isStopped) return;
    this.#giveUp();
    const { live, catchUp } = this.#options;
    const replay = live.after(position);
    if (typeof replay === 'object') {
      this.#replay(live, replay, position);
      return;
    }
    const way = this.#way;
    const use = await catchUp.use(position);
    // Left while the reader was being opened.
    if (way === this.#way) this.#followReader(use, position);
    else use.release();
  }

  /** As `resume`, as soon as the subscriber has taken what it was given. What is wrong ends the subscription. */
  resumeWhenTaken(position: StreamPosition): void {
    this.#giveUp();
    const way = this.#way;
    this.#options.subscription.whenTaken(() => {
      if (way === this.#way) this.#goOn(position);
    });
  }

  /** The subscription is over. */
  stop(): void {
    this.#isStopped = true;
    this.#giveUp();
  }

  #giveUp(): void {
    this.#way += 1;
    this.#leave?.();
    this.#leave = undefined;
  }

  /**
   * Waits for the reader to come to the position, then gets what it emits, until the live stream can take
   * over.
   */
  #followReader({ reader, release }: ReaderUse, start: StreamPosition): void {
    const way = this.#way;
    const { live, following, subscription } = this.#options;
    const { stream } = reader;
    let position = start;
    let leaveStream: (() => void) | undefined;
    let isPumping = false;
    const look = (): void => {
      if (way !== this.#way || isPumping) return;
      // All that the reader has emitted is with the subscriber, or on its way there in order.
      if (leaveStream !== undefined) position = stream.position;
      if (subscription.backlogBytes > 0) return;
      const remembered = live.after(position);
      if (typeof remembered === 'object') {
        this.#giveUp();
        this.#replay(live, remembered, position);
        return;
      }
      if (leaveStream !== undefined) return;
      const replay = stream.after(position);
      if (replay === 'ahead') return;
      if (replay === 'gone') {
        this.#goOn(position);
        return;
      }
      isPumping = true;
      this.#pump(stream, replay, position, () => {
        isPumping = false;
        position = stream.position;
        leaveStream = following.join(stream, subscription);
        endPace = reader.addPaced({
          get backlogBytes() {
            return subscription.backlogBytes;
          },
          whenTaken: (taken) => subscription.whenTaken(taken),
          onTooSlow: () => {
            const reached = stream.position;
            this.#giveUp();
            const own = this.#way;
            subscription.whenTaken(() => {
              if (own === this.#way) this.#goOn(reached);
            });
          },
        });
      });
    };
    let endPace: (() => void) | undefined;
    const unwatch = stream.watchTurns(look);
    this.#leave = () => {
      unwatch();
      endPace?.();
      leaveStream?.();
      release();
    };
    look();
  }

  #replay(stream: Stream, replay: Replay<Event>, start: StreamPosition): void {
    const { following, subscription } = this.#options;
    this.#pump(stream, replay, start, () => {
      this.#leave = following.join(stream, subscription);
    });
  }

  /**
   * Hands over what a stream remembers, as the subscriber takes it.
   *
   * @param ended called when it has all of it, in which moment it must join the stream
   */
  #pump(stream: Stream, replay: Replay<Event>, start: StreamPosition, ended: () => void): void {
    const way = this.#way;
    const { subscription } = this.#options;
    let position = start;
    const go = (): void => {
      if (way !== this.#way) return;
      const { messages, end } = take(replay);
      if (messages.length > 0) {
        const parcel = this.#parcelOf(stream, messages, position);
        position = parcel.after;
        if (parcel.items.length > 0) subscription.push(parcel);
      }
      if (end === 'end') ended();
      else if (end === 'forgotten') this.#goOn(position);
      else subscription.whenTaken(go);
    };
    go();
  }

  #parcelOf(
    stream: Stream,
    messages: readonly StreamMessage<Event>[],
    before: StreamPosition,
  ): Parcel<Item> {
    const after = messages.at(-1)?.position ?? before;
    return parcelOf(this.#options.following.select(stream, messages), before, after);
  }

  /** Begins again from a position; what is wrong with it now ends the subscription. */
  #goOn(position: StreamPosition): void {
    this.resume(position).catch((error: unknown) => this.#options.subscription.cut(asError(error)));
  }
}

function take(replay: Replay<Event>): {
  messages: StreamMessage<Event>[];
  end: 'end' | 'forgotten' | undefined;
} {
  const messages: StreamMessage<Event>[] = [];
  while (messages.length < messagesPerParcel) {
    const next = replay.next();
    if (typeof next === 'string') return { messages, end: next };
    messages.push(next);
  }
  return { messages, end: undefined };
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
