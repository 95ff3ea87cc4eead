import type { Clock } from '../../core/clock.ts';
import type { MillraceError } from '../../core/errors.ts';
import { logTruncated } from '../feed-start.ts';
import type { StreamPosition } from '../cursor/stream-position.ts';
import type { Replay } from '../history/replay.ts';
import type { StreamMessage } from '../history/stream-message.ts';
import type { JoinPoint } from '../join-point.ts';
import type { EncodeCursor, Message } from '../message.ts';
import { liveParcel, type Parcel, parcelOf } from '../parcel.ts';
import type { Joined } from '../stream.ts';
import type { Subscription } from '../subscription.ts';
import type { CatchUp, ReaderUse } from './catch-up.ts';
import type { Excerpt } from './excerpt.ts';
import type { Followed } from './followed.ts';

/** What a subscriber wants of a stream, whichever it is served by. */
export interface Following<Raw, S extends Followed<Raw>, Item extends Message> {
  /** How many conditions are evaluated for each event. @default none */
  readonly evaluated?: number;
  /** From here on it gets what the stream emits, but nothing from before its join point. */
  join(stream: S, subscription: Subscription<Item>, join?: JoinPoint): Joined;
  /** What it gets of the messages that the stream remembers. */
  excerpt(stream: S): Excerpt<Raw, Item>;
  /** Whether it was there before a join point. */
  isBefore(join: JoinPoint, item: Raw): boolean;
}

export interface FollowerOptions<Raw, S extends Followed<Raw>, Item extends Message> {
  readonly live: S;
  readonly catchUp: CatchUp<S>;
  readonly following: Following<Raw, S, Item>;
  readonly subscription: Subscription<Item>;
  readonly encode: EncodeCursor;
  readonly clock: Clock;
  /** What was recorded before it is left out. @default nothing */
  readonly join?: JoinPoint | undefined;
}

/** Most messages that are looked at for one parcel of a replay, … */
const messagesPerParcel = 256;
/** … and bytes of their texts, but for one message more. */
const bytesPerParcel = 2 ** 20;
/** How long the live stream may take to come to where another instance was, in milliseconds. */
const aheadPatienceMs = 250;

/**
 * Leads one subscriber from a position to the live stream, exactly: from what is remembered if it is
 * remembered, else with a reader that catches up from the log (docs/adr/0005). Back-pressure is the subscriber's
 * own: nothing is handed to one that has not taken what it was given before.
 *
 * When a stream that it waits for is over, so is the subscription: nothing would come any more.
 */
export class Follower<Raw, S extends Followed<Raw>, Item extends Message> {
  readonly #options: FollowerOptions<Raw, S, Item>;
  readonly #unwatchLive: () => void;
  /** Gives up the way in which it is served at the moment. */
  #leave: (() => void) | undefined;
  /** Counts the ways: one that has been given up must not go on. */
  #way = 0;
  #isStopped = false;
  /** It was told that it has come to what is recorded now, and has not fallen behind since. */
  #isLive = false;

  constructor(options: FollowerOptions<Raw, S, Item>) {
    this.#options = options;
    const { live, subscription } = options;
    this.#unwatchLive = live.watchEnd((error) => subscription.end(error));
  }

  /**
   * Goes on from a position. Not in the midst of a turn.
   *
   * @param isAlone a reader for several will not do
   * @returns resolves when the subscriber is being served, or no longer wants to be; rejects with a
   *   `MillraceError` when the log no longer holds what follows the position
   */
  async resume(position: StreamPosition, isAlone = false): Promise<void> {
    if (this.#isStopped) return;
    this.#giveUp();
    this.#isLive = false;
    const { live, catchUp } = this.#options;
    const way = this.#way;
    const loss = lossOf(live, position);
    if (loss !== undefined) throw loss;
    if (this.#isTakenOver(position)) return;
    if (live.after(position) === 'ahead') {
      await this.#waitForLive(position);
      if (way !== this.#way) return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const take = (use: ReaderUse<S>): void => {
      this.#followReader(use, position);
      resolve();
    };
    const cancel = catchUp.request({ position, isAlone, take, refuse: reject });
    if (way !== this.#way) return;
    this.#alsoLeave(() => {
      cancel();
      resolve();
    });
    await promise;
  }

  /** As `resume`, as soon as the subscriber has taken what it was given. What is wrong ends the subscription. */
  resumeWhenTaken(position: StreamPosition): void {
    this.#giveUp();
    this.#isLive = false;
    if (this.#isStopped) return;
    const way = this.#way;
    this.#options.subscription.whenTaken(() => {
      if (way === this.#way) this.#goOn(position);
    });
  }

  /** The subscription is over. */
  stop(): void {
    this.#isStopped = true;
    this.#unwatchLive();
    this.#giveUp();
  }

  #giveUp(): void {
    this.#way += 1;
    const leave = this.#leave;
    this.#leave = undefined;
    leave?.();
  }

  #alsoLeave(leave: () => void): void {
    const before = this.#leave;
    this.#leave = () => {
      before?.();
      leave();
    };
  }

  /** Serves it from the live stream, if that remembers what follows the position. */
  #isTakenOver(position: StreamPosition): boolean {
    const { live } = this.#options;
    if (live.after(position) === 'ahead') live.meet(position);
    const replay = live.after(position);
    if (typeof replay === 'string') return false;
    this.#giveUp();
    const loss = lossOf(live, position);
    if (loss !== undefined) {
      this.#options.subscription.cut(loss);
      return true;
    }
    this.#replay(live, replay, position);
    return true;
  }

  /**
   * The position is that of an instance that was ahead: the live stream takes over as soon as it is there.
   *
   * @returns resolves when it has, or does not seem to come there soon; then it is still listened to
   */
  async #waitForLive(position: StreamPosition): Promise<void> {
    const { live, clock } = this.#options;
    const way = this.#way;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = clock.schedule(aheadPatienceMs, resolve);
    const unwatch = live.watchTurns(() => {
      if (way === this.#way) this.#isTakenOver(position);
    });
    this.#alsoLeave(() => {
      timer.cancel();
      unwatch();
      resolve();
    });
    await promise;
  }

  /**
   * Waits for the reader to come to the position, then gets what it emits, until the live stream can take
   * over.
   */
  #followReader({ reader, release }: ReaderUse<S>, start: StreamPosition): void {
    this.#giveUp();
    const way = this.#way;
    const { following, subscription, live, join } = this.#options;
    const { stream } = reader;
    let joined: Joined | undefined;
    let endPace: (() => void) | undefined;
    let isPumping = false;
    let awaitsTaking = false;
    let pumped = (): StreamPosition => start;
    // All that the reader has emitted is with the subscriber, or kept for its next batch.
    const reached = (): StreamPosition => (joined === undefined ? pumped() : stream.position);
    /** From when it has come to where the subscriber stands, the reader waits for it. */
    const keepPace = (): void => {
      endPace ??= reader.addPaced({
        get backlogBytes() {
          return subscription.backlogBytes;
        },
        whenTaken: (taken) => subscription.whenTaken(taken),
        onTooSlow: () => {
          joined?.settle();
          if (way === this.#way) this.resumeWhenTaken(reached());
        },
      });
    };
    const look = (): void => {
      if (way !== this.#way || isPumping) return;
      const position = reached();
      const replay = joined === undefined ? stream.after(position) : undefined;
      const loss = typeof replay === 'object' ? lossOf(stream, position) : undefined;
      if (loss !== undefined) {
        subscription.cut(loss);
        return;
      }
      if (replay !== 'ahead') keepPace();
      if (subscription.backlogBytes > 0) {
        // On a busy topic each turn brings something: not to be missed that it was taken.
        if (awaitsTaking) return;
        awaitsTaking = true;
        subscription.whenTaken(() => {
          awaitsTaking = false;
          look();
        });
        return;
      }
      if (typeof live.after(position) === 'object') {
        joined?.settle();
        if (way === this.#way) this.#isTakenOver(position);
        return;
      }
      // On a quiet topic the live stream may not come there before the next event does.
      if (joined !== undefined && reader.hasCaughtUp) {
        const kept = joined.keptFrom();
        if (kept === undefined && this.#isTakenOver(position)) return;
        this.#tellLive(kept ?? position);
      }
      // It went past the position in one turn, and does not remember so much.
      if (replay === 'gone') this.#goOn(position, true);
      if (typeof replay !== 'object') return;
      isPumping = true;
      pumped = this.#pump(stream, replay, position, () => {
        isPumping = false;
        joined = following.join(stream, subscription, join);
      });
    };
    const unwatch = stream.watchTurns(look);
    let unwatchEnd: (() => void) | undefined;
    this.#leave = () => {
      unwatch();
      unwatchEnd?.();
      endPace?.();
      joined?.leave();
      release();
    };
    unwatchEnd = stream.watchEnd((error) => subscription.end(error));
    look();
  }

  #replay(stream: S, replay: Replay<Raw>, start: StreamPosition): void {
    const { following, subscription, join } = this.#options;
    this.#pump(stream, replay, start, (position) => {
      const joined = following.join(stream, subscription, join);
      this.#leave = () => joined.leave();
      this.#tellLive(position);
    });
  }

  #tellLive(position: StreamPosition): void {
    if (this.#isLive) return;
    this.#isLive = true;
    const { subscription, encode } = this.#options;
    subscription.push(liveParcel(position, encode));
  }

  /**
   * Hands over what a stream remembers, as the subscriber takes it.
   *
   * @param ended called when it has all of it, with where it stands; in that moment it must join the stream
   * @returns where the subscriber stands, when that is called
   */
  #pump(
    stream: S,
    replay: Replay<Raw>,
    start: StreamPosition,
    ended: (position: StreamPosition) => void,
  ): () => StreamPosition {
    const way = this.#way;
    const { subscription, following } = this.#options;
    const excerpt = following.excerpt(stream);
    const { sharing } = excerpt;
    const share = sharing?.parcels.use();
    if (share !== undefined) this.#alsoLeave(share);
    let position = start;
    /** How far the stream has been played back: beyond the subscriber's place, if something is kept from it. */
    let played = start;
    const go = (): void => {
      if (way !== this.#way) return;
      const { messages, end } = replay.take(messagesPerParcel, bytesPerParcel);
      const wanted = this.#wanted(messages);
      const before = position;
      const from = played;
      played = messages.at(-1)?.position ?? played;
      const make = (): Parcel<Item> | null => {
        const due = excerpt.take(wanted, from);
        const items = end === undefined ? due : [...due, ...excerpt.rest()];
        const after = excerpt.keptFrom ?? played;
        return items.length > 0 ? parcelOf(items, before, after, { isOfPast: true }) : null;
      };
      const isShared = wanted.length > 0 && wanted.length === messages.length;
      const parcel =
        sharing !== undefined && isShared
          ? sharing.parcels.of({ wish: sharing.wish, messages, before }, make)
          : make();
      position = excerpt.keptFrom ?? played;
      if (parcel !== null) subscription.push(parcel);
      // Too much for a connection that takes nothing, as others of its subscriptions may have filled it.
      if (way !== this.#way) return;
      if (end !== undefined) share?.();
      if (end === 'end') ended(position);
      else if (end === 'forgotten') this.#goOn(position);
      else subscription.whenTaken(go);
    };
    go();
    return () => position;
  }

  #wanted(messages: readonly StreamMessage<Raw>[]): readonly StreamMessage<Raw>[] {
    const { join, following } = this.#options;
    if (join === undefined) return messages;
    return messages.filter(({ item }) => !following.isBefore(join, item));
  }

  /** Begins again from a position; what is wrong with it now ends the subscription. */
  #goOn(position: StreamPosition, isAlone = false): void {
    this.resume(position, isAlone).catch((error: unknown) =>
      this.#options.subscription.cut(asError(error)),
    );
  }
}

/** That the log was cut off below the position, if what the stream has read tells so. */
function lossOf(stream: Followed<unknown>, position: StreamPosition): MillraceError | undefined {
  const ranges = stream.lostOf(position);
  return ranges.length > 0 ? logTruncated(ranges) : undefined;
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
