import type { Principal } from '../../auth/principal.ts';
import { deadLetterOffsets, endPosition, type StreamPosition } from '../cursor/stream-position.ts';
import type { FeedSource } from '../feed-registry.ts';
import { deadLettersOf, place } from '../following.ts';
import type { DeadLetterMessage, EncodeCursor } from '../message.ts';
import type { Past } from '../past.ts';
import type { CatchUp } from '../resume/catch-up.ts';
import type { CatchUps } from '../resume/catch-ups.ts';
import type { Following } from '../resume/follower.ts';
import type { Serving } from '../serving.ts';
import type { Joined } from '../stream.ts';
import type { StreamSubscriber } from '../stream-subscriber.ts';
import type { Subscription } from '../subscription.ts';
import type { Where } from '../where.ts';
import type { DeadLetterFeeds, DeadLetterLease } from './dead-letter-feeds.ts';
import type { DeadLetterStream, LanedDeadLetter, OfBoth } from './dead-letter-stream.ts';

/** The same for all. */
export interface DeadLetterServingSettings {
  readonly feeds: DeadLetterFeeds;
  readonly past: Past;
  readonly catchUps: CatchUps<DeadLetterStream>;
}

export interface DeadLetterServingOptions {
  readonly principal: Principal;
  readonly topic: string;
  readonly sources: OfBoth<FeedSource>;
  readonly where: Where;
}

/** How a subscription to a topic's dead letters is served. */
export class DeadLetterServing
  implements Serving<LanedDeadLetter, DeadLetterStream, DeadLetterMessage>
{
  readonly following: Following<LanedDeadLetter, DeadLetterStream, DeadLetterMessage>;
  readonly #settings: DeadLetterServingSettings;
  readonly #principal: Principal;
  readonly #sources: OfBoth<FeedSource>;
  readonly #subscriber: StreamSubscriber;
  readonly #where: Where;
  readonly #lease: DeadLetterLease;

  /** @throws {MillraceError} as `FeedRegistry.lease` */
  constructor(options: DeadLetterServingOptions, settings: DeadLetterServingSettings) {
    const { principal, topic, sources, where } = options;
    this.#settings = settings;
    this.#principal = principal;
    this.#sources = sources;
    this.#subscriber = { projectId: principal.projectId, topic };
    this.#where = where;
    this.following = deadLettersOf(this.#subscriber, where);
    this.#lease = settings.feeds.lease(principal, sources);
  }

  get kind(): 'deadLetters' {
    return 'deadLetters';
  }

  get topic(): string {
    return this.#subscriber.topic;
  }

  get started(): Promise<void> {
    return this.#lease.started;
  }

  get encode(): EncodeCursor {
    return this.#lease.stream.cursorsOf(this.#principal.projectId).encode;
  }

  /** It is there for as long as its feeds are. */
  use(): DeadLetterStream {
    return this.#lease.stream;
  }

  joinLive(live: DeadLetterStream, subscription: Subscription<DeadLetterMessage>): Joined {
    return place(live.add(subscription, this.#subscriber, this.#where, live.joinPoints()));
  }

  decode(cursor: string): StreamPosition {
    return this.#lease.stream.cursorsOf(this.#principal.projectId).decode(cursor);
  }

  async since(
    instantMs: number,
    over: AbortSignal,
  ): Promise<{ readonly position: StreamPosition } | undefined> {
    const { past } = this.#settings;
    const [ofTopic, ofDeadLetterTopic] = await Promise.all(
      this.#sources.map((source) => past.offsetsSince(this.#principal, source, instantMs, over)),
    );
    if (ofTopic === undefined || ofDeadLetterTopic === undefined) return undefined;
    return { position: endPosition(deadLetterOffsets(ofTopic, ofDeadLetterTopic)) };
  }

  catchUp(live: DeadLetterStream): CatchUp<DeadLetterStream> {
    const { feeds, past, catchUps } = this.#settings;
    // Not `this`: it is kept for others, too.
    const [principal, sources] = [this.#principal, this.#sources];
    const [ofTopic, ofDeadLetterTopic] = this.#lease.feeds;
    const { projectId } = principal;
    return catchUps.of(live, projectId, () =>
      past.catchUp(projectId, (start) => {
        const topicIds = [ofTopic.topicId, ofDeadLetterTopic.topicId] as const;
        return feeds.leasePast(principal, sources, start, topicIds);
      }),
    );
  }

  release(): void {
    this.#lease.release();
  }
}
