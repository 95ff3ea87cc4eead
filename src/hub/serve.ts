import type { Principal } from '../auth/principal.ts';
import type { Clock } from '../core/clock.ts';
import type { StreamPosition } from './cursor/stream-position.ts';
import type { JoinPoint } from './join-point.ts';
import type { EncodeCursor, Message } from './message.ts';
import type { OpenSubscriptions } from './open-subscriptions.ts';
import { pauseFor } from './pause.ts';
import type { Start, SubscriptionKind } from './requests.ts';
import type { CatchUp } from './resume/catch-up.ts';
import type { Followed } from './resume/followed.ts';
import { Follower, type Following } from './resume/follower.ts';
import type { Joined } from './stream.ts';
import type { Subscription } from './subscription.ts';

/** How the subscriptions to one stream are served. */
export interface Serving<Raw, S extends Followed<Raw>, Item extends Message> {
  readonly kind: SubscriptionKind;
  readonly topic: string;
  readonly lease: {
    /** Resolves when reading has begun; rejects with the `MillraceError` that prevents it. */
    readonly started: Promise<void>;
    release(): void;
  };
  readonly following: Following<Raw, S, Item>;
  /** The stream, which is kept until it is released. */
  live(): { readonly live: S; release(): void };
  /** From now on the subscription gets what comes. */
  joinLive(live: S, subscription: Subscription<Item>): Joined;
  readonly encode: EncodeCursor;
  /** Once reading has begun. @throws {MillraceError} what is wrong with the cursor */
  decode(cursor: string): StreamPosition;
  /** Where the first record lies at or after an instant; undefined: nobody is interested any more. */
  since(
    instantMs: number,
    over: AbortSignal,
  ): Promise<{ readonly position: StreamPosition; readonly join?: JoinPoint } | undefined>;
  catchUp(live: S): CatchUp<S>;
}

export interface ServeOptions {
  readonly subscriptions: OpenSubscriptions;
  readonly clock: Clock;
}

/** Serves a subscription from wherever it is to begin, for as long as it lasts. */
export function serve<Raw, S extends Followed<Raw>, Item extends Message>(
  principal: Principal,
  { sinceMs, after }: Start,
  serving: Serving<Raw, S, Item>,
  { subscriptions, clock }: ServeOptions,
): Promise<Subscription<Item>> {
  const { lease } = serving;
  let isOver = false;
  /** Made where there is something to wait for: most subscriptions are live from the first. */
  let over: AbortController | undefined;
  let follower: Follower<Raw, S, Item> | undefined;
  let joined: Joined | undefined;
  let served: { readonly live: S; readonly subscription: Subscription<Item> } | undefined;
  const follow = (join?: JoinPoint): Follower<Raw, S, Item> => {
    if (served === undefined) throw new Error('nothing to go on with');
    const catchUp = serving.catchUp(served.live);
    follower = new Follower<Raw, S, Item>({ ...serving, ...served, catchUp, clock, join });
    // With a stream that is over the subscription is, too.
    if (isOver) follower.stop();
    return follower;
  };
  const onBehind = (position: StreamPosition): void => {
    joined?.leave();
    joined = undefined;
    (follower ?? follow()).resumeWhenTaken(position);
  };
  const resume = async (): Promise<void> => {
    await lease.started;
    if (after !== undefined) {
      const position = serving.decode(after);
      if (!isOver) await follow(joinOf(position)).resume(position);
      return;
    }
    if (isOver) return;
    over = new AbortController();
    const { signal } = over;
    const instantMs = sinceMs ?? 0;
    // Of a moment that has not come yet nobody can say where it is in the log.
    await pauseFor(clock, instantMs - clock.now(), signal);
    const since = await serving.since(instantMs, signal);
    if (since === undefined || signal.aborted) return;
    await follow(since.join).resume(since.position);
  };
  const isLive = sinceMs === undefined && after === undefined;
  return subscriptions.accept<Item>(principal, lease, {
    kind: serving.kind,
    topic: serving.topic,
    options: {
      onBehind,
      cursorAt: (position) => {
        if (!isLive || served === undefined || !served.live.hasBegun) return undefined;
        return serving.encode(position ?? joined?.keptFrom() ?? served.live.position);
      },
    },
    begin: (subscription) => {
      // The stream is kept for as long as it may be gone back to.
      const kept = serving.live();
      const { live } = kept;
      served = { live, subscription };
      if (isLive) joined = serving.joinLive(live, subscription);
      return () => {
        isOver = true;
        over?.abort();
        follower?.stop();
        joined?.leave();
        kept.release();
      };
    },
    ...(isLive ? {} : { resume }),
  });
}

/**
 * Without K only V says what a client has: what lies below it may still be held by a stream, or be read again by one that
 * is for others as well.
 */
function joinOf({ key, lowest }: StreamPosition): JoinPoint | undefined {
  if (key !== null) return undefined;
  return { from: new Map(lowest.entries()), acceptedAtMs: Number.POSITIVE_INFINITY };
}
