import type { Principal } from '../auth/principal.ts';
import type { Event } from '../decode/event.ts';
import type { EventOrder } from '../sequence/order.ts';
import { endPosition, offsetsOf, type StreamPosition } from './cursor/stream-position.ts';
import type { Cursors } from './cursors.ts';
import type { FeedLease, FeedRegistry, FeedSource } from './feed-registry.ts';
import type { JoinPoint } from './join-point.ts';
import type { EncodeCursor, Message } from './message.ts';
import type { Past } from './past.ts';
import type { SubscriptionKind } from './requests.ts';
import type { CatchUp } from './resume/catch-up.ts';
import type { CatchUps } from './resume/catch-ups.ts';
import type { Following } from './resume/follower.ts';
import { eventReader } from './resume/reader-lease.ts';
import type { Serving } from './serving.ts';
import type { Joined, Stream, StreamKey } from './stream.ts';
import type { Subscription } from './subscription.ts';

/** The same for all. */
export interface EventServingSettings {
  readonly registry: FeedRegistry;
  readonly past: Past;
  readonly catchUps: CatchUps<Stream>;
}

export interface EventServingOptions<Item extends Message> extends StreamKey {
  readonly kind: SubscriptionKind;
  readonly principal: Principal;
  readonly source: FeedSource;
  readonly following: Following<Event, Stream, Item>;
}

/** How a subscription to a topic's events is served. */
export class EventServing<Item extends Message> implements Serving<Event, Stream, Item> {
  readonly kind: SubscriptionKind;
  readonly following: Following<Event, Stream, Item>;
  readonly #settings: EventServingSettings;
  readonly #principal: Principal;
  readonly #source: FeedSource;
  readonly #order: EventOrder;
  readonly #deduplicate: boolean;
  readonly #lease: FeedLease;
  #stream: Stream | undefined;

  /** @throws {MillraceError} as `FeedRegistry.lease` */
  constructor(options: EventServingOptions<Item>, settings: EventServingSettings) {
    const { principal, source } = options;
    this.kind = options.kind;
    this.following = options.following;
    this.#settings = settings;
    this.#principal = principal;
    this.#source = source;
    this.#order = options.order;
    this.#deduplicate = options.deduplicate;
    this.#lease = settings.registry.lease(principal, source);
  }

  get topic(): string {
    return this.#source.topic;
  }

  get evaluated(): number {
    return this.following.evaluated ?? 0;
  }

  get started(): Promise<void> {
    return this.#lease.feed.started;
  }

  get encode(): EncodeCursor {
    return this.#cursors.encode;
  }

  use(): Stream {
    this.#stream = this.#lease.feed.useStream(this.#key);
    return this.#stream;
  }

  joinLive(live: Stream, subscription: Subscription<Item>): Joined {
    return this.following.join(live, subscription, this.#lease.feed.joinPoint());
  }

  decode(cursor: string): StreamPosition {
    return this.#cursors.decode(cursor);
  }

  async since(
    instantMs: number,
    over: AbortSignal,
  ): Promise<{ readonly position: StreamPosition; readonly join: JoinPoint } | undefined> {
    const { past } = this.#settings;
    const from = await past.offsetsSince(this.#principal, this.#source, instantMs, over);
    if (from === undefined) return undefined;
    // What the live stream still held from before is not wanted either.
    const join = { from, acceptedAtMs: Number.POSITIVE_INFINITY };
    return { position: endPosition(offsetsOf(from)), join };
  }

  catchUp(live: Stream): CatchUp<Stream> {
    const { registry, past, catchUps } = this.#settings;
    // Not `this`: it is kept for others, too.
    const [principal, source, key] = [this.#principal, this.#source, this.#key];
    const { feed } = this.#lease;
    const { projectId } = principal;
    return catchUps.of(live, projectId, () =>
      past.catchUp(projectId, (start) => {
        const at = { at: 'position', topicId: feed.topicId, ...start } as const;
        const lease = registry.leasePrivate(principal, projectId, [{ source, start: at }]);
        return eventReader(lease, key);
      }),
    );
  }

  release(): void {
    if (this.#stream !== undefined) this.#lease.feed.releaseStream(this.#stream);
    this.#lease.release();
  }

  get #key(): StreamKey {
    return { order: this.#order, deduplicate: this.#deduplicate };
  }

  get #cursors(): Cursors {
    return this.#lease.feed.cursorsOf(this.#principal.projectId, this.#key);
  }
}
