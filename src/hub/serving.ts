import type { Clock } from '../core/clock.ts';
import type { StreamPosition } from './cursor/stream-position.ts';
import type { JoinPoint } from './join-point.ts';
import type { EncodeCursor, Message } from './message.ts';
import type { Served } from './open-subscriptions.ts';
import { pauseFor } from './pause.ts';
import type { Start, SubscriptionKind } from './requests.ts';
import type { CatchUp } from './resume/catch-up.ts';
import type { Followed } from './resume/followed.ts';
import { Follower, type Following } from './resume/follower.ts';
import type { Joined } from './stream.ts';
import type { Subscription } from './subscription.ts';

/** How a subscription to a stream is served, whatever the stream is of. */
export interface Serving<Raw, S extends Followed<Raw>, Item extends Message>
  extends Pick<Served<Item>, 'kind' | 'topic' | 'evaluated' | 'started'> {
  readonly following: Following<Raw, S, Item>;
  /** The stream, which is kept until `release`. To be called once. */
  use(): S;
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
  /** Gives back what is read for it, and the stream if it was asked for. To be called once. */
  release(): void;
}

/**
 * Serves a subscription from wherever it is to begin, for as long as it lasts. There may be very many: no functions of
 * its own.
 */
export class ServedFrom<Raw, S extends Followed<Raw>, Item extends Message>
  implements Served<Item>
{
  readonly #serving: Serving<Raw, S, Item>;
  readonly #clock: Clock;
  /** It begins with what comes from now on. */
  readonly #isLive: boolean;
  /** Where it begins else, until it is looked for: a cursor is not kept. */
  #start: Start | undefined;
  #isOver = false;
  /** Made where there is something to wait for: most subscriptions are live from the first. */
  #over: AbortController | undefined;
  #follower: Follower<Raw, S, Item> | undefined;
  #joined: Joined | undefined;
  #live: S | undefined;
  #subscription: Subscription<Item> | undefined;

  constructor(serving: Serving<Raw, S, Item>, { sinceMs, after }: Start, clock: Clock) {
    this.#serving = serving;
    this.#clock = clock;
    this.#isLive = sinceMs === undefined && after === undefined;
    this.#start = this.#isLive ? undefined : { sinceMs, after };
  }

  get kind(): SubscriptionKind {
    return this.#serving.kind;
  }

  get topic(): string {
    return this.#serving.topic;
  }

  get evaluated(): number {
    return this.#serving.evaluated ?? 0;
  }

  get started(): Promise<void> {
    return this.#serving.started;
  }

  begin(subscription: Subscription<Item>): void {
    this.#subscription = subscription;
    // It is kept for as long as it may be gone back to.
    const live = this.#serving.use();
    this.#live = live;
    if (this.#isLive) this.#joined = this.#serving.joinLive(live, subscription);
  }

  resume(): Promise<void> | undefined {
    const start = this.#start;
    this.#start = undefined;
    return start && this.#resume(start);
  }

  onBehind(position: StreamPosition): void {
    this.#joined?.leave();
    this.#joined = undefined;
    (this.#follower ?? this.#follow()).resumeWhenTaken(position);
  }

  cursorAt(position?: StreamPosition): string | undefined {
    const live = this.#live;
    if (!this.#isLive || live === undefined || !live.hasBegun) return undefined;
    return this.#serving.encode(position ?? this.#joined?.keptFrom() ?? live.position);
  }

  end(): void {
    this.#isOver = true;
    this.#over?.abort();
    this.#follower?.stop();
    this.#joined?.leave();
    this.#serving.release();
  }

  async #resume({ sinceMs = 0, after }: Start): Promise<void> {
    const serving = this.#serving;
    await serving.started;
    if (after !== undefined) {
      const position = serving.decode(after);
      if (!this.#isOver) await this.#follow(joinOf(position)).resume(position);
      return;
    }
    if (this.#isOver) return;
    this.#over = new AbortController();
    const { signal } = this.#over;
    // Of a moment that has not come yet nobody can say where it is in the log.
    await pauseFor(this.#clock, sinceMs - this.#clock.now(), signal);
    const since = await serving.since(sinceMs, signal);
    if (since === undefined || signal.aborted) return;
    await this.#follow(since.join).resume(since.position);
  }

  #follow(join?: JoinPoint): Follower<Raw, S, Item> {
    const [live, subscription] = [this.#live, this.#subscription];
    if (live === undefined || subscription === undefined) throw new Error('nothing to go on with');
    const serving = this.#serving;
    const { following, encode } = serving;
    const catchUp = serving.catchUp(live);
    const clock = this.#clock;
    this.#follower = new Follower({ live, subscription, following, encode, catchUp, clock, join });
    // With a stream that is over the subscription is, too.
    if (this.#isOver) this.#follower.stop();
    return this.#follower;
  }
}

/**
 * Without K only V says what a client has: what lies below it may still be held by a stream, or be read again by one that
 * is for others as well.
 */
function joinOf({ key, lowest }: StreamPosition): JoinPoint | undefined {
  if (key !== null) return undefined;
  return { from: new Map(lowest.entries()), acceptedAtMs: Number.POSITIVE_INFINITY };
}
