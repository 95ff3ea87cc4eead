import type { Principal } from '../auth/principal.ts';
import type { Clock } from '../core/clock.ts';
import { MillraceError } from '../core/errors.ts';
import { createDecoder } from '../decode/decoder.ts';
import type { Event } from '../decode/event.ts';
import type { PropertyFilter } from '../decode/property-filter.ts';
import { kafkaTopic, topicName, topicOf } from '../decode/topic-name.ts';
import { decodeUpstreamDeadLetter } from '../decode/upstream-dead-letter.ts';
import { type KafkaDriver, KafkaError, type PartitionOffsets } from '../kafka/port.ts';
import { traced } from '../observe/tracing.ts';
import type { EventOrder } from '../sequence/order.ts';
import type { Feed, FeedCounts, FeedLogger } from './feed.ts';
import type { ClientLease } from './client-pool.ts';
import { FeedRegistry, type FeedSource } from './feed-registry.ts';
import { acceptWithinMs } from './feed-start.ts';
import type { Batching } from './batch-group.ts';
import type { ConflationBounds } from './conflation/choice.ts';
import { all, type Delivery } from './delivery.ts';
import { backoffMs } from '../kafka/backoff.ts';
import { type JoinPoint, precedes } from './join-point.ts';
import { type RefusalOf, refusalOf as ofOwnLogin } from './kafka-refusal.ts';
import {
  DeadLetterMessage,
  type EncodeCursor,
  type EventBatch,
  EventMessage,
  type Message,
} from './message.ts';
import { type Newest, NewestDeadLetters, NewestEvents } from './newest.ts';
import { PerProject } from './per-project.ts';
import type { Joined, Stream, StreamKey, StreamSubscriber } from './stream.ts';
import { Subscription, type SubscriptionOptions } from './subscription.ts';
import { CatchUp, type CatchUpStart } from './resume/catch-up.ts';
import { CatchUps } from './resume/catch-ups.ts';
import { BatchExcerpt, EventExcerpt, type EventExcerptOptions } from './resume/excerpt.ts';
import type { Followed } from './resume/followed.ts';
import { Follower, type Following } from './resume/follower.ts';
import { eventReader, type ReaderLease } from './resume/reader-lease.ts';
import { DeadLetterFeeds } from './dead-letters/dead-letter-feeds.ts';
import type { DeadLetterStream, LanedDeadLetter } from './dead-letters/dead-letter-stream.ts';
import {
  deadLetterOffsets,
  type Offsets,
  offsetsOf,
  type StreamPosition,
} from './cursor/stream-position.ts';
import { Cursors } from './cursors.ts';
import type { TopicSettings } from './topic-settings.ts';
import { readTail, type Tail } from './tail.ts';
import { assertSeesDeadLetters, visibleCounts } from './visibility.ts';
import { Where } from './where.ts';

export interface HubOptions {
  readonly driver: KafkaDriver;
  readonly clock: Clock;
  /** What all instances make their keys from; `null`: the cluster's id. */
  readonly secret: string | null;
  /** How much each stream remembers of what it delivered, for those who come back. */
  readonly historyBytes: number;
  /** How much of an interval is kept for each group that gets some of the events. */
  readonly conflation: ConflationBounds;
  /** @default every login is the client's own */
  readonly refusalOf?: RefusalOf;
  readonly topicTemplate: string;
  readonly deadLetterSuffix: string;
  /** The settings of a topic, by the name that subscribers use. */
  readonly settingsOf: (topic: string) => TopicSettings;
  readonly lingerMs: number;
  readonly maxQueuedBytes: number;
  /** Subscriptions that one project may have at a time. @default no limit */
  readonly maxSubscriptionsPerProject?: number;
  readonly maxCatchUpReadersPerProject: number;
  /** Most records that a feed reads at its start for their ids only. */
  readonly maxWarmUpRecords: number;
  /** Most bytes of text that the newest of a topic may have, as an answer to one query. */
  readonly maxRecentBytes: number;
  /** How many topics may be looked through for their newest at a time, for one project. */
  readonly maxRecentReadersPerProject: number;
  readonly logger: FeedLogger;
  /** Whether each Kafka topic is one project's. @default false */
  readonly topicsAreOwn?: boolean;
  /** See `FeedRegistryOptions`. */
  readonly onFeedClosed?: ((feed: Feed) => void) | undefined;
}

/** A subscription, for whoever counts. */
type OpenSubscription = Pick<Subscription<Message>, 'transport' | 'queuedBytes'>;

/** What is subscribed to. */
export type SubscriptionKind = 'events' | 'eventBatches' | 'deadLetters';

/** A topic as subscribers call it, and as Kafka does. */
export interface TopicName {
  readonly name: string;
  readonly kafkaTopic: string;
}

export interface EventsRequest {
  readonly topic: string;
  readonly order?: EventOrder | undefined;
  readonly deduplicate: boolean;
  readonly where: readonly PropertyFilter[];
  /** Of what passes. @default all */
  readonly delivery?: Delivery | undefined;
  /** Start at the first record at or after this broker time, in milliseconds since 1970. */
  readonly sinceMs?: number | undefined;
  /** Go on after the message that had this cursor. */
  readonly after?: string | undefined;
}

export interface DeadLettersRequest {
  readonly topic: string;
  readonly sinceMs?: number | undefined;
  readonly after?: string | undefined;
}

/** How the subscriptions to one stream are served. */
interface Serving<Raw, S extends Followed<Raw>, Item extends Message> {
  readonly kind: SubscriptionKind;
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

/** Records read beyond those asked for, because some may be duplicates. */
const duplicatesAllowance = 100;
/** Newest records of each partition that are looked through for what matches a filter. */
const searchedPerPartition = 5_000;

/** How far `since` may be ahead of our clock, as the clocks of subscribers may be, in milliseconds. */
const maxAheadMs = 60_000;

/** What the server serves: subscriptions to feeds, and the newest of a topic. */
export class Hub {
  readonly registry: FeedRegistry;
  readonly #options: HubOptions;
  readonly #refusalOf: RefusalOf;
  readonly #tails: PerProject;
  readonly #subscriptions = new Map<OpenSubscription, SubscriptionKind>();
  readonly #subscriptionPlaces: PerProject;
  readonly #deadLetterFeeds: DeadLetterFeeds;
  readonly #catchUps = new CatchUps<Stream>();
  readonly #deadLetterCatchUps = new CatchUps<DeadLetterStream>();

  constructor(options: HubOptions) {
    this.#options = options;
    this.#refusalOf = options.refusalOf ?? ofOwnLogin;
    this.registry = new FeedRegistry(options);
    this.#subscriptionPlaces = new PerProject({
      max: options.maxSubscriptionsPerProject ?? Number.POSITIVE_INFINITY,
      what: 'subscriptions',
      limit: 'limits.subscriptionsPerProject',
    });
    const { clock, historyBytes } = options;
    this.#deadLetterFeeds = new DeadLetterFeeds({ registry: this.registry, clock, historyBytes });
    this.#tails = new PerProject({
      max: options.maxRecentReadersPerProject,
      what: 'readers of recent events and dead letters',
      limit: 'limits.recentReadersPerProject',
    });
  }

  /** The open subscriptions, and what each is to. */
  get subscriptions(): ReadonlyMap<OpenSubscription, SubscriptionKind> {
    return this.#subscriptions;
  }

  /** How many each project has that has any. */
  get subscriptionsByProject(): ReadonlyMap<string, number> {
    return this.#subscriptionPlaces.counts;
  }

  /**
   * The topics that the principal may read, by name; dead-letter topics of topics are left out.
   * Rejects with `KAFKA_UNAVAILABLE`.
   */
  async topics(principal: Principal): Promise<TopicName[]> {
    const { topicTemplate, deadLetterSuffix } = this.#options;
    const lease = this.registry.clients.lease(principal);
    try {
      const names = new Set<string>();
      for (const kafkaTopic of await lease.client.listTopics()) {
        const name = topicOf(topicTemplate, principal.projectId, kafkaTopic);
        if (name !== undefined && this.#mayRead(principal, name)) names.add(name);
      }
      const isDeadLetters = (name: string): boolean =>
        name.endsWith(deadLetterSuffix) && names.has(name.slice(0, -deadLetterSuffix.length));
      return [...names]
        .filter((name) => !isDeadLetters(name))
        .toSorted()
        .map((name) => this.topicName(principal, name));
    } catch (error) {
      throw error instanceof KafkaError ? this.#refusalOf(error, '*') : error;
    } finally {
      lease.release();
    }
  }

  /** A topic's two names. Throws `BAD_USER_INPUT` for a name that Kafka cannot have. */
  topicName({ projectId }: Principal, name: string): TopicName {
    const { topicTemplate } = this.#options;
    return { name, kafkaTopic: kafkaTopic(topicTemplate, { projectId, topic: name }) };
  }

  /** The names of a topic's dead-letter topic. */
  deadLetterTopic(principal: Principal, topic: string): TopicName {
    return this.topicName(principal, `${topic}${this.#options.deadLetterSuffix}`);
  }

  /**
   * Resolves once the subscription is accepted: when reading has begun, or after a moment when the
   * cluster cannot be reached; it then waits. Rejects with a `MillraceError`.
   */
  events(principal: Principal, request: EventsRequest): Promise<Subscription<EventMessage>> {
    return this.#traced(principal, request, 'events', () =>
      this.#subscribe(principal, request, 'events', eventsOf(principal, request)),
    );
  }

  /** As `events`, in batches. */
  eventBatches(
    principal: Principal,
    request: EventsRequest & { readonly batching: Batching },
  ): Promise<Subscription<EventBatch>> {
    return this.#traced(principal, request, 'eventBatches', () =>
      this.#subscribe(principal, request, 'eventBatches', batchesOf(principal, request)),
    );
  }

  /** As `events`. */
  deadLetters(
    principal: Principal,
    request: DeadLettersRequest,
  ): Promise<Subscription<DeadLetterMessage>> {
    return this.#traced(principal, request, 'deadLetters', () =>
      this.#subscribeToDeadLetters(principal, request),
    );
  }

  async #subscribeToDeadLetters(
    principal: Principal,
    request: DeadLettersRequest,
  ): Promise<Subscription<DeadLetterMessage>> {
    this.#checkStart(request);
    const where = Where.ofDeadLetters(principal);
    this.#subscriptionPlaces.assertPlace(principal.projectId);
    const { topic } = request;
    const sources = [this.#events(principal, topic), this.#deadLetters(principal, topic)] as const;
    const lease = this.#deadLetterFeeds.lease(principal, sources);
    const { stream } = lease;
    const { projectId } = principal;
    const subscriber = { projectId, topic };
    const cursors = stream.cursorsOf(projectId);
    return this.#serve<LanedDeadLetter, DeadLetterStream, DeadLetterMessage>(principal, request, {
      kind: 'deadLetters',
      lease,
      following: deadLettersOf(subscriber, where),
      live: () => ({ live: stream, release: () => undefined }),
      joinLive: (_, subscription) =>
        place(stream.add(subscription, subscriber, where, stream.joinPoints())),
      encode: cursors.encode,
      decode: (cursor) => cursors.decode(cursor),
      since: async (instantMs, over) => {
        const found = await Promise.all(
          sources.map((source) => this.#offsetsSince(principal, source, instantMs, over)),
        );
        const [ofTopic, ofDeadLetterTopic] = found;
        if (ofTopic === undefined || ofDeadLetterTopic === undefined) return undefined;
        return { position: endPosition(deadLetterOffsets(ofTopic, ofDeadLetterTopic)) };
      },
      catchUp: () =>
        this.#deadLetterCatchUps.of(stream, projectId, () =>
          this.#newCatchUp(projectId, (start) => {
            const [ofTopic, ofDeadLetterTopic] = lease.feeds;
            const topicIds = [ofTopic.topicId, ofDeadLetterTopic.topicId] as const;
            return this.#deadLetterFeeds.leasePast(principal, sources, start, topicIds);
          }),
        ),
    });
  }

  /**
   * The newest events of a topic by their own time, oldest first, without duplicates. Rejects with
   * `LIMIT_EXCEEDED` when they have too many bytes, or the project has too many such queries running.
   */
  async newestEvents(
    principal: Principal,
    topic: string,
    last: number,
    asked: readonly PropertyFilter[],
  ): Promise<EventMessage[]> {
    const where = Where.of(principal, asked);
    const source = this.#events(principal, topic);
    const isAll = where.conditions.length === 0;
    const perPartition = isAll ? last + duplicatesAllowance : searchedPerPartition;
    const bounds = { last, maxBytes: this.#options.maxRecentBytes };
    const pick = (): NewestEvents => new NewestEvents(bounds, where);
    const [{ items, end }, topicId] = await Promise.all([
      this.#tail(principal, source, perPartition, pick),
      this.#topicId(principal, source),
    ]);
    const { kafkaTopic, settings } = source;
    const { order } = settings;
    const stream = { kind: 'events', order, deduplicate: true, settings } as const;
    const cursors = new Cursors({
      key: () => this.registry.keys.cursorKey,
      binding: { projectId: principal.projectId, kafkaTopic, stream },
      topicIds: () => [topicId],
    });
    // Of each the same: what comes after all of them.
    const place = { position: endPosition(offsetsOf(end)), encode: cursors.encode };
    return items.map((event) => new EventMessage(topic, event, false, place));
  }

  /** The newest dead letters of a topic by the broker's time, oldest first. Rejects as `newestEvents`. */
  async newestDeadLetters(
    principal: Principal,
    topic: string,
    last: number,
  ): Promise<DeadLetterMessage[]> {
    assertSeesDeadLetters(principal);
    const bounds = { last, maxBytes: this.#options.maxRecentBytes };
    const pick = (): NewestDeadLetters => new NewestDeadLetters(bounds);
    const [source, deadLetters] = [
      this.#events(principal, topic),
      this.#deadLetters(principal, topic),
    ];
    const [bridge, upstream, ...topicIds] = await Promise.all([
      this.#tail(principal, source, searchedPerPartition, pick),
      this.#tail(principal, deadLetters, last, pick),
      this.#topicId(principal, source),
      this.#topicId(principal, deadLetters),
    ]);
    const newest = pick();
    for (const deadLetter of [...bridge.items, ...upstream.items]) newest.offer(deadLetter);
    const stream = { kind: 'deadLetters', deadLetterTopic: deadLetters.kafkaTopic } as const;
    const cursors = new Cursors({
      key: () => this.registry.keys.cursorKey,
      binding: { projectId: principal.projectId, kafkaTopic: source.kafkaTopic, stream },
      topicIds: () => topicIds,
    });
    const position = endPosition(deadLetterOffsets(bridge.end, upstream.end));
    const place = { position, encode: cursors.encode };
    return newest.answer().map((deadLetter) => new DeadLetterMessage(topic, deadLetter, place));
  }

  /**
   * What the shared feed of a topic is doing, or had done when it failed a moment ago; undefined: nobody
   * has subscribed. A filtered principal sees the state alone.
   */
  countsOf(principal: Principal, kafkaTopic: string): FeedCounts | undefined {
    const { registry } = this;
    // A dead-letter topic is rarely read as anything else.
    const counts =
      registry.countsOf(principal, kafkaTopic, 'events') ??
      registry.countsOf(principal, kafkaTopic, 'deadLetters');
    return counts && visibleCounts(principal, counts);
  }

  /**
   * @throws {MillraceError} `FORBIDDEN`: the key may not read the topic; or it has a filter, and these are
   * dead letters under the name of a topic
   */
  assertReadable(principal: Principal, topic: string): void {
    principal.mayRead(topic);
    if (topicName(topic).endsWith(this.#options.deadLetterSuffix)) assertSeesDeadLetters(principal);
  }

  close(): Promise<void> {
    return this.registry.close();
  }

  async #subscribe<Item extends Message>(
    principal: Principal,
    request: EventsRequest,
    kind: SubscriptionKind,
    following: Following<Event, Stream, Item>,
  ): Promise<Subscription<Item>> {
    this.#checkStart(request);
    this.#subscriptionPlaces.assertPlace(principal.projectId);
    const { topic, order, deduplicate } = request;
    const { projectId } = principal;
    const source = this.#events(principal, topic);
    const key: StreamKey = { order: order ?? source.settings.order, deduplicate };
    const shared = this.registry.lease(principal, source);
    const { feed } = shared;
    const cursors = feed.cursorsOf(projectId, key);
    return this.#serve<Event, Stream, Item>(principal, request, {
      kind,
      lease: { started: feed.started, release: () => shared.release() },
      following,
      live: () => {
        let live: Stream | undefined;
        const leave = feed.useStream(key, (stream) => {
          live = stream;
          return () => undefined;
        });
        if (live === undefined) throw new Error('a feed without its stream');
        return { live, release: leave };
      },
      joinLive: (stream, subscription) => following.join(stream, subscription, feed.joinPoint()),
      encode: cursors.encode,
      decode: (cursor) => cursors.decode(cursor),
      since: async (instantMs, over) => {
        const from = await this.#offsetsSince(principal, source, instantMs, over);
        if (from === undefined) return undefined;
        // What the live stream still held from before is not wanted either.
        const join = { from, acceptedAtMs: Number.POSITIVE_INFINITY };
        return { position: endPosition(offsetsOf(from)), join };
      },
      catchUp: (live) =>
        this.#catchUps.of(live, projectId, () =>
          this.#newCatchUp(projectId, (start) => {
            const at = { at: 'position', topicId: feed.topicId, ...start } as const;
            const lease = this.registry.leasePrivate(principal, projectId, [{ source, start: at }]);
            return eventReader(lease, key);
          }),
        ),
    });
  }

  /** Serves a subscription from wherever it is to begin, for as long as it lasts. */
  #serve<Raw, S extends Followed<Raw>, Item extends Message>(
    principal: Principal,
    { sinceMs, after }: Pick<DeadLettersRequest, 'sinceMs' | 'after'>,
    serving: Serving<Raw, S, Item>,
  ): Promise<Subscription<Item>> {
    const { lease } = serving;
    const { clock } = this.#options;
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
        if (!isOver) await follow().resume(position);
        return;
      }
      if (isOver) return;
      over = new AbortController();
      const { signal } = over;
      const instantMs = sinceMs ?? 0;
      // Of a moment that has not come yet nobody can say where it is in the log.
      await this.#pauseFor(instantMs - clock.now(), signal);
      const since = await serving.since(instantMs, signal);
      if (since === undefined || signal.aborted) return;
      await follow(since.join).resume(since.position);
    };
    const isLive = sinceMs === undefined && after === undefined;
    return this.#accept<Item>(principal, lease, {
      kind: serving.kind,
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

  /** From the request to its being accepted. */
  #traced<Item extends Message>(
    { projectId }: Principal,
    { topic, after }: Pick<EventsRequest, 'topic' | 'after'>,
    kind: SubscriptionKind,
    subscribe: () => Promise<Subscription<Item>>,
  ): Promise<Subscription<Item>> {
    const attributes = {
      'millrace.project': projectId,
      'millrace.topic': topic,
      'millrace.kind': kind,
      'millrace.resumes': after !== undefined,
    };
    return traced('millrace.subscribe', attributes, subscribe);
  }

  /** @throws {MillraceError} `BAD_USER_INPUT` */
  #checkStart({ sinceMs, after }: Pick<DeadLettersRequest, 'sinceMs' | 'after'>): void {
    if (sinceMs === undefined) return;
    if (after !== undefined) {
      const message = 'give since or after, not both: each says where to begin';
      throw new MillraceError('BAD_USER_INPUT', message, { argument: 'since' });
    }
    if (sinceMs <= this.#options.clock.now() + maxAheadMs) return;
    throw new MillraceError('BAD_USER_INPUT', 'since must not be in the future', {
      argument: 'since',
    });
  }

  #mayRead(principal: Principal, topic: string): boolean {
    try {
      this.assertReadable(principal, topic);
      return true;
    } catch {
      return false;
    }
  }

  #events(principal: Principal, topic: string): FeedSource {
    this.assertReadable(principal, topic);
    const settings = this.#options.settingsOf(topic);
    return {
      topic,
      projectId: this.#options.topicsAreOwn === true ? principal.projectId : null,
      holds: 'events',
      kafkaTopic: this.topicName(principal, topic).kafkaTopic,
      openDecoder: createDecoder,
      settings,
      whenMissing: 'refuse',
    };
  }

  #deadLetters(principal: Principal, topic: string): FeedSource {
    return {
      ...this.#events(principal, topic),
      holds: 'deadLetters',
      kafkaTopic: this.deadLetterTopic(principal, topic).kafkaTopic,
      openDecoder: () => decodeUpstreamDeadLetter,
      whenMissing: 'wait',
    };
  }

  async #tail<Item>(
    principal: Principal,
    { topic, kafkaTopic, openDecoder, settings, whenMissing }: FeedSource,
    perPartition: number,
    pick: () => Newest<Item>,
  ): Promise<Tail<Item>> {
    const done = this.#tails.take(principal.projectId);
    let lease: ClientLease | undefined;
    try {
      lease = this.registry.clients.lease(principal);
      const { client } = lease;
      const { clock } = this.#options;
      const decode = openDecoder(settings);
      return await readTail({ client, kafkaTopic, decode, perPartition, clock }, pick);
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      if (error.code === 'TOPIC_NOT_FOUND' && whenMissing === 'wait') {
        return { items: [], end: new Map() };
      }
      throw this.#refusalOf(error, topic);
    } finally {
      lease?.release();
      done();
    }
  }

  /** The cluster's id of a topic, `null` if it cannot be learned; what cursors need is then known. */
  async #topicId(principal: Principal, { kafkaTopic, topic }: FeedSource): Promise<string | null> {
    const lease = this.registry.clients.lease(principal);
    try {
      await this.registry.keys.learn(lease.client);
      const found = (await lease.client.describeTopics([kafkaTopic])).get(kafkaTopic);
      return found === undefined || found instanceof KafkaError ? null : found.topicId;
    } catch (error) {
      throw error instanceof KafkaError ? this.#refusalOf(error, topic) : error;
    } finally {
      lease.release();
    }
  }

  /** Waits; ends early when nobody is interested any more. */
  async #pauseFor(delayMs: number, over: AbortSignal): Promise<void> {
    if (delayMs <= 0 || over.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#options.clock.schedule(delayMs, resolve);
    const stop = (): void => {
      timer.cancel();
      resolve();
    };
    over.addEventListener('abort', stop, { once: true });
    await promise;
    over.removeEventListener('abort', stop);
  }

  /**
   * The offsets of the first records at or after an instant, by the broker's time. While the cluster cannot be
   * reached it is asked again; undefined: until nobody is interested any more.
   */
  async #offsetsSince(
    principal: Principal,
    { topic, kafkaTopic, whenMissing }: FeedSource,
    timestampMs: number,
    over: AbortSignal,
  ): Promise<PartitionOffsets | undefined> {
    const lease = this.registry.clients.lease(principal);
    try {
      for (let failures = 1; !over.aborted; failures += 1) {
        try {
          const found = await lease.client.listOffsets([kafkaTopic], { timestampMs });
          const answer = found.get(kafkaTopic);
          if (answer === undefined) return new Map();
          if (answer instanceof KafkaError) throw answer;
          return answer;
        } catch (error) {
          if (!(error instanceof KafkaError)) throw error;
          if (error.code === 'TOPIC_NOT_FOUND' && whenMissing === 'wait') return new Map();
          if (error.code !== 'UNAVAILABLE') throw this.#refusalOf(error, topic);
          await this.#pauseFor(backoffMs(failures), over);
        }
      }
      return undefined;
    } finally {
      lease.release();
    }
  }

  /** Readers for those of a project who come back to a stream. @param open called when there is a place for one */
  #newCatchUp<S extends Followed<unknown>>(
    projectId: string,
    open: (start: CatchUpStart) => ReaderLease<S>,
  ): CatchUp<S> {
    const { registry } = this;
    return new CatchUp({
      clock: this.#options.clock,
      open: (start) => (registry.hasPrivatePlace(projectId) ? open(start) : undefined),
      whenFree: (tell) => registry.whenPrivatePlace(projectId, tell),
    });
  }

  async #accept<Item extends Message>(
    principal: Principal,
    lease: { readonly started: Promise<void>; release(): void },
    {
      kind,
      options,
      begin,
      resume,
    }: {
      readonly kind: SubscriptionKind;
      // Not the rest of these: the engine keeps such an object as a table, of several times its size.
      readonly options: Pick<SubscriptionOptions, 'onBehind' | 'cursorAt'>;
      /** Adds it to a stream; answers what takes it out again. */
      readonly begin: (subscription: Subscription<Item>) => () => void;
      /** Where it does not begin with what comes from now on. */
      readonly resume?: () => Promise<void>;
    },
  ): Promise<Subscription<Item>> {
    const { maxQueuedBytes } = this.#options;
    const { revoked } = principal;
    let undo = [() => lease.release()];
    const subscription = new Subscription<Item>({
      ...options,
      maxQueuedBytes,
      onEnd: () => {
        for (const step of undo.toReversed()) step();
      },
    });
    try {
      this.#subscriptionPlaces.occupy(principal.projectId);
      this.#subscriptions.set(subscription, kind);
      undo = undo.concat(() => {
        this.#subscriptions.delete(subscription);
        this.#subscriptionPlaces.giveBack(principal.projectId);
      });
      const giveBack = principal.retain();
      undo = undo.concat(giveBack, () => revoked.unwatch(subscription));
      revoked.watch(subscription);
      // Not pushed: an array that has grown keeps room for many more, for as long as the subscription lives.
      undo = undo.concat(begin(subscription));
      const resumed = resume?.();
      // Whoever waits no longer is told by the subscription.
      resumed?.catch((error: unknown) => subscription.cut(asError(error)));
      await this.#atMost(resumed ?? lease.started);
    } catch (error) {
      await subscription.return();
      throw error;
    }
    return subscription;
  }

  /** Waits; no longer than a moment. */
  async #atMost(done: Promise<unknown>): Promise<void> {
    const patience = Promise.withResolvers<void>();
    const timer = this.#options.clock.schedule(acceptWithinMs, patience.resolve);
    try {
      await Promise.race([done, patience.promise]);
    } finally {
      timer.cancel();
    }
  }
}

/** Each event by itself. */
function eventsOf(
  principal: Principal,
  { topic, where: asked, delivery = all }: EventsRequest,
): Following<Event, Stream, EventMessage> {
  const subscriber = { projectId: principal.projectId, topic };
  const where = Where.of(principal, asked);
  return {
    join: (stream, subscription, join) =>
      stream.addEvents(subscription, subscriber, { where, shape: delivery, join }),
    excerpt: (stream) => {
      const scribe = stream.scribeFor(subscriber);
      const wish = JSON.stringify([subscriber, where.conditions]);
      const sharing = { parcels: stream.played.events, wish };
      return new EventExcerpt(excerptOf(stream, { scribe, where, delivery }), sharing);
    },
    isBefore,
  };
}

function isBefore(join: JoinPoint, { partition, offset, recordedAtMs }: Event): boolean {
  return precedes(join, partition, offset, recordedAtMs);
}

function batchesOf(
  principal: Principal,
  {
    topic,
    where: asked,
    delivery = all,
    batching,
  }: EventsRequest & { readonly batching: Batching },
): Following<Event, Stream, EventBatch> {
  const subscriber = { projectId: principal.projectId, topic };
  const where = Where.of(principal, asked);
  const shape = { batching, delivery };
  return {
    join: (stream, subscription, join) =>
      stream.addBatches(subscription, subscriber, { where, shape, join }),
    excerpt: (stream) => {
      const scribe = stream.scribeFor(subscriber);
      const { maxEvents } = batching;
      const options = {
        ...excerptOf(stream, { scribe, where, delivery }),
        maxEvents,
        batchOf: (events: readonly EventMessage[]) => scribe.batchOf(events),
      };
      const wish = JSON.stringify([subscriber, where.conditions, maxEvents]);
      return new BatchExcerpt(options, { parcels: stream.played.batches, wish });
    },
    isBefore,
  };
}

function excerptOf(
  stream: Stream,
  wish: {
    readonly scribe: ReturnType<Stream['scribeFor']>;
    readonly where: Where;
    readonly delivery: Delivery;
  },
): EventExcerptOptions {
  const { scribe, where, delivery } = wish;
  return {
    messageOf: (message) => scribe.messageOf(message),
    passes: where.compile(),
    conflation: delivery.mode === 'ALL' ? undefined : stream.conflation(delivery),
  };
}

function deadLettersOf(
  subscriber: StreamSubscriber,
  where: Where,
): Following<LanedDeadLetter, DeadLetterStream, DeadLetterMessage> {
  return {
    join: (stream, subscription) => place(stream.add(subscription, subscriber, where)),
    excerpt: (stream) => {
      const messageOf = stream.scribeFor(subscriber);
      return {
        keptFrom: undefined,
        sharing: { parcels: stream.played, wish: JSON.stringify(subscriber) },
        take: (messages) => messages.map((message) => messageOf(message)),
        rest: () => [],
      };
    },
    isBefore: () => false,
  };
}

/** Of one from whom nothing is kept. */
function place(leave: () => void): Joined {
  return { keptFrom: () => undefined, settle: () => undefined, leave };
}

/** Of a stream that has delivered everything below these offsets. */
function endPosition(next: Offsets): StreamPosition {
  return { key: null, next, lowest: next };
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
