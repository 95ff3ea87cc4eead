import type { Principal } from '../auth/principal.ts';
import type { Clock } from '../core/clock.ts';
import { MillraceError } from '../core/errors.ts';
import { createDecoder } from '../decode/decoder.ts';
import type { PropertyFilter } from '../decode/property-filter.ts';
import { kafkaTopic, topicName, topicOf } from '../decode/topic-name.ts';
import { decodeUpstreamDeadLetter } from '../decode/upstream-dead-letter.ts';
import { type KafkaDriver, KafkaError } from '../kafka/port.ts';
import { traced } from '../observe/tracing.ts';
import type { EventOrder } from '../sequence/order.ts';
import type { Feed, FeedCounts, FeedLogger } from './feed.ts';
import type { ClientLease } from './client-pool.ts';
import { type FeedLease, FeedRegistry, type FeedSource } from './feed-registry.ts';
import { acceptWithinMs, type StartPoint } from './feed-start.ts';
import type { Batching } from './batch-group.ts';
import type { ConflationBounds } from './conflation/choice.ts';
import { all, type Delivery } from './delivery.ts';
import { backoffMs } from '../kafka/backoff.ts';
import type { JoinPoint } from './join-point.ts';
import { type RefusalOf, refusalOf as ofOwnLogin } from './kafka-refusal.ts';
import {
  DeadLetterMessage,
  type EncodeCursor,
  type EventBatch,
  EventMessage,
  type Message,
} from './message.ts';
import { type Newest, NewestDeadLetters, NewestEvents } from './newest.ts';
import { liveParcel } from './parcel.ts';
import { PerProject } from './per-project.ts';
import type { Joined, Stream, StreamKey, StreamSubscriber } from './stream.ts';
import { type Pace, Subscription, type SubscriptionOptions } from './subscription.ts';
import { CatchUp } from './resume/catch-up.ts';
import { BatchExcerpt, EventExcerpt, type EventExcerptOptions } from './resume/excerpt.ts';
import { Follower, type FollowerOptions, type Following } from './resume/follower.ts';
import {
  beginning,
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
  readonly maxPrivateFeedsPerProject: number;
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
  /** By project. Those of a stream are forgotten with it. */
  readonly #catchUps = new WeakMap<Stream, Map<string, CatchUp>>();

  constructor(options: HubOptions) {
    this.#options = options;
    this.#refusalOf = options.refusalOf ?? ofOwnLogin;
    this.registry = new FeedRegistry(options);
    this.#subscriptionPlaces = new PerProject({
      max: options.maxSubscriptionsPerProject ?? Number.POSITIVE_INFINITY,
      what: 'subscriptions',
      limit: 'limits.subscriptionsPerProject',
    });
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
    { topic, sinceMs, after }: DeadLettersRequest,
  ): Promise<Subscription<DeadLetterMessage>> {
    refuseBoth(sinceMs, after);
    const where = Where.ofDeadLetters(principal);
    this.#subscriptionPlaces.assertPlace(principal.projectId);
    const source = this.#events(principal, topic);
    const deadLetters = this.#deadLetters(principal, topic);
    const isPrivate = sinceMs !== undefined || after !== undefined;
    const leases: FeedLease[] = [];
    try {
      if (isPrivate) {
        const starts = await this.#deadLetterStarts(principal, source, { sinceMs, after });
        const { projectId } = principal;
        const lease = (own: FeedSource, start: StartPoint, sibling: number): void => {
          const other = (): Feed | undefined => leases[sibling]?.feed;
          leases.push(this.registry.leasePrivate(principal, projectId, own, start, other));
        };
        lease(source, starts.topic, 1);
        lease(deadLetters, starts.deadLetterTopic, 0);
        readTogether(leases);
      } else {
        leases.push(this.registry.lease(principal, source));
        leases.push(this.registry.lease(principal, deadLetters));
      }
    } catch (error) {
      for (const lease of leases) lease.release();
      throw error;
    }
    const { maxQueuedBytes } = this.#options;
    const pace = isPrivate ? paceOf(leases, maxQueuedBytes / 2) : undefined;
    const subscriber = { projectId: principal.projectId, topic };
    const place = deadLetterPlace(leases, principal.projectId);
    return this.#accept<DeadLetterMessage>(principal, leases, {
      kind: 'deadLetters',
      options: {
        ...(pace === undefined ? {} : { pace }),
        // Before what is queued already nobody knows where it was; each of that has a cursor.
        cursorAt: (position) => (isPrivate || position !== undefined ? undefined : place.cursor()),
      },
      begin: (subscription) => {
        const steps = leases.map(({ feed }) =>
          feed.addDeadLetters(subscription, subscriber, where),
        );
        if (isPrivate)
          place.whenCaughtUp((at, encode) => subscription.push(liveParcel(at, encode)));
        return steps;
      },
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
    following: Following<Item>,
  ): Promise<Subscription<Item>> {
    const { topic, order, deduplicate, sinceMs, after } = request;
    refuseBoth(sinceMs, after);
    if (sinceMs !== undefined) this.#refuseFuture(sinceMs);
    this.#subscriptionPlaces.assertPlace(principal.projectId);
    const source = this.#events(principal, topic);
    const key: StreamKey = { order: order ?? source.settings.order, deduplicate };
    const lease = this.registry.lease(principal, source);
    const { feed } = lease;
    let isOver = false;
    /** Made where there is something to wait for: most subscriptions are live from the first. */
    let over: AbortController | undefined;
    let follower: Follower<Item> | undefined;
    let joined: Joined | undefined;
    let subscription: Subscription<Item> | undefined;
    const follow = (join?: JoinPoint): Follower<Item> => {
      const [live, accepted] = [feed.stream(key), subscription];
      if (live === undefined || accepted === undefined) throw new Error('nothing to go on with');
      const catchUp = this.#catchUp(principal, source, { feed, live, key });
      const { clock } = this.#options;
      const options: FollowerOptions<Item> = {
        live,
        catchUp,
        following,
        subscription: accepted,
        encode: feed.cursorsOf(principal.projectId, key).encode,
        clock,
        join,
      };
      follower = new Follower(options);
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
      await feed.started;
      if (after !== undefined) {
        const { position } = feed.cursorsOf(principal.projectId, key).decode(after);
        if (!isOver) await follow().resume(position);
        return;
      }
      if (isOver) return;
      over = new AbortController();
      const { signal } = over;
      const instantMs = sinceMs ?? 0;
      // Of a moment that has not come yet nobody can say where it is in the log.
      await this.#pauseFor(instantMs - this.#options.clock.now(), signal);
      const position = await this.#positionSince(principal, source, instantMs, signal);
      if (position === undefined || signal.aborted) return;
      const from = new Map(position.next.entries());
      // What the live stream still held from before is not wanted either.
      await follow({ from, acceptedAtMs: Number.POSITIVE_INFINITY }).resume(position);
    };
    const isLive = sinceMs === undefined && after === undefined;
    return this.#accept<Item>(principal, [lease], {
      kind,
      options: {
        onBehind,
        cursorAt: (position) => {
          const stream = feed.stream(key);
          if (!isLive || !stream?.hasBegun) return undefined;
          const { encode } = feed.cursorsOf(principal.projectId, key);
          return encode(position ?? joined?.keptFrom() ?? stream.position);
        },
      },
      begin: (accepted) => {
        subscription = accepted;
        // The stream is kept for as long as it may be gone back to.
        const release = feed.useStream(key, (stream) => {
          if (isLive) joined = following.join(stream, accepted, feed.joinPoint());
          return () => undefined;
        });
        return [
          () => {
            isOver = true;
            over?.abort();
            follower?.stop();
            joined?.leave();
            release();
          },
        ];
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
      sibling: this.deadLetterTopic(principal, topic).kafkaTopic,
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
      sibling: this.topicName(principal, topic).kafkaTopic,
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

  #refuseFuture(sinceMs: number): void {
    if (sinceMs <= this.#options.clock.now() + maxAheadMs) return;
    throw new MillraceError('BAD_USER_INPUT', 'since must not be in the future', {
      argument: 'since',
    });
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
   * The position before the first record at or after an instant, by the broker's time. While the cluster
   * cannot be reached it is asked again; undefined: until nobody is interested any more.
   */
  async #positionSince(
    principal: Principal,
    { topic, kafkaTopic }: FeedSource,
    timestampMs: number,
    over: AbortSignal,
  ): Promise<StreamPosition | undefined> {
    const lease = this.registry.clients.lease(principal);
    try {
      for (let failures = 1; !over.aborted; failures += 1) {
        try {
          const found = await lease.client.listOffsets([kafkaTopic], { timestampMs });
          const answer = found.get(kafkaTopic);
          if (answer === undefined) return beginning;
          if (answer instanceof KafkaError) throw answer;
          const next = offsetsOf(answer);
          return { key: null, next, lowest: next };
        } catch (error) {
          if (!(error instanceof KafkaError)) throw error;
          if (error.code !== 'UNAVAILABLE') throw this.#refusalOf(error, topic);
          await this.#pauseFor(backoffMs(failures), over);
        }
      }
      return undefined;
    } finally {
      lease.release();
    }
  }

  async #deadLetterStarts(
    principal: Principal,
    source: FeedSource,
    { sinceMs, after }: Pick<DeadLettersRequest, 'sinceMs' | 'after'>,
  ): Promise<{ topic: StartPoint; deadLetterTopic: StartPoint }> {
    if (after === undefined) {
      this.#refuseFuture(sinceMs ?? 0);
      const start: StartPoint = { at: 'instant', timestampMs: sinceMs ?? 0 };
      return { topic: start, deadLetterTopic: start };
    }
    // It knows the topics' ids, by which cursors are judged.
    const leases = [
      this.registry.lease(principal, source),
      this.registry.lease(principal, this.#deadLetters(principal, source.topic)),
    ];
    try {
      await this.#begun(leases);
      const [bridge] = leases;
      if (bridge === undefined) throw new Error('a feed is missing');
      const cursors = bridge.feed.deadLetterCursorsOf(principal.projectId);
      const { position } = cursors.decode(after);
      const at = 'position';
      const [ofTopic, ofDeadLetters] = leases.map(({ feed }) => feed.topicId);
      const startAt = (isOfDeadLetters: boolean, topicId: string | null = null): StartPoint => ({
        at,
        position: lanesOf(position, isOfDeadLetters),
        isShared: false,
        furthest: lanesOf(position, isOfDeadLetters).next,
        topicId,
      });
      return {
        topic: startAt(false, ofTopic),
        deadLetterTopic: startAt(true, ofDeadLetters),
      };
    } finally {
      for (const lease of leases) lease.release();
    }
  }

  /** Readers for those of a project who come back to a stream. */
  #catchUp(
    principal: Principal,
    source: FeedSource,
    { feed, live, key }: { readonly feed: Feed; readonly live: Stream; readonly key: StreamKey },
  ): CatchUp {
    const { projectId } = principal;
    const ofStream = this.#catchUps.get(live) ?? new Map<string, CatchUp>();
    this.#catchUps.set(live, ofStream);
    let catchUp = ofStream.get(projectId);
    if (catchUp === undefined) {
      const { registry } = this;
      catchUp = new CatchUp({
        key,
        clock: this.#options.clock,
        open: (position) => {
          if (!registry.hasPrivatePlace(projectId)) return undefined;
          const start: StartPoint = { at: 'position', topicId: feed.topicId, ...position };
          return registry.leasePrivate(principal, projectId, source, start);
        },
        whenFree: (tell) => registry.whenPrivatePlace(projectId, tell),
      });
      ofStream.set(projectId, catchUp);
    }
    return catchUp;
  }

  async #accept<Item extends Message>(
    principal: Principal,
    leases: readonly FeedLease[],
    {
      kind,
      options,
      begin,
      resume,
    }: {
      readonly kind: SubscriptionKind;
      // Not the rest of these: the engine keeps such an object as a table, of several times its size.
      readonly options: Pick<SubscriptionOptions, 'pace' | 'onBehind' | 'cursorAt'>;
      /** Adds it to feeds; answers what takes it out again. */
      readonly begin: (subscription: Subscription<Item>) => readonly (() => void)[];
      /** Where it does not begin with what comes from now on. */
      readonly resume?: () => Promise<void>;
    },
  ): Promise<Subscription<Item>> {
    const { maxQueuedBytes } = this.#options;
    const { revoked } = principal;
    let undo = leases.map((lease) => () => lease.release());
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
      await this.#atMost(resumed ?? Promise.all(leases.map(({ feed }) => feed.started)));
    } catch (error) {
      await subscription.return();
      throw error;
    }
    return subscription;
  }

  #begun(leases: readonly FeedLease[]): Promise<void> {
    return this.#atMost(Promise.all(leases.map(({ feed }) => feed.started)));
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
): Following<EventMessage> {
  const subscriber = { projectId: principal.projectId, topic };
  const where = Where.of(principal, asked);
  return {
    join: (stream, subscription, join) =>
      stream.addEvents(subscription, subscriber, { where, shape: delivery, join }),
    excerpt: (stream) => new EventExcerpt(excerptOf(stream, { subscriber, where, delivery })),
  };
}

function batchesOf(
  principal: Principal,
  {
    topic,
    where: asked,
    delivery = all,
    batching,
  }: EventsRequest & { readonly batching: Batching },
): Following<EventBatch> {
  const subscriber = { projectId: principal.projectId, topic };
  const where = Where.of(principal, asked);
  const shape = { batching, delivery };
  return {
    join: (stream, subscription, join) =>
      stream.addBatches(subscription, subscriber, { where, shape, join }),
    excerpt: (stream) =>
      new BatchExcerpt({
        ...excerptOf(stream, { subscriber, where, delivery }),
        maxEvents: batching.maxEvents,
        batchOf: (events) => stream.batchOf(subscriber, events),
      }),
  };
}

function excerptOf(
  stream: Stream,
  wish: {
    readonly subscriber: StreamSubscriber;
    readonly where: Where;
    readonly delivery: Delivery;
  },
): EventExcerptOptions {
  const { subscriber, where, delivery } = wish;
  return {
    messageOf: (message) => stream.messageOf(subscriber, message),
    passes: where.compile(),
    conflation: delivery.mode === 'ALL' ? undefined : stream.conflation(delivery),
  };
}

/** Of a stream that has delivered everything below these offsets. */
function endPosition(next: Offsets): StreamPosition {
  return { key: null, next, lowest: next };
}

function refuseBoth(sinceMs: number | undefined, after: string | undefined): void {
  if (sinceMs === undefined || after === undefined) return;
  throw new MillraceError(
    'BAD_USER_INPUT',
    'give since or after, not both: each says where to begin',
    {
      argument: 'since',
    },
  );
}

/** Of a position of dead letters the lanes of one of the two topics. */
function lanesOf({ next }: StreamPosition, isOfDeadLetterTopic: boolean): StreamPosition {
  const own = next.filter((_, lane) => (lane % 2 === 1) === isOfDeadLetterTopic);
  return { key: null, next: own, lowest: own };
}

function paceOf(leases: readonly FeedLease[], backlogBytes: number): Pace {
  let paused = false;
  const set = (pause: boolean): void => {
    if (paused === pause) return;
    paused = pause;
    for (const { feed } of leases) {
      if (pause) feed.pause();
      else feed.resume();
    }
  };
  return { backlogBytes, onBacklog: () => set(true), onDrained: () => set(false) };
}

/** Where those stand together who read the dead letters of a topic: the topic itself, and its dead-letter topic. */
function deadLetterPlace(leases: readonly FeedLease[], projectId: string) {
  const [bridge, upstream] = leases.map(({ feed }) => feed);
  if (bridge === undefined || upstream === undefined) throw new Error('a feed is missing');
  let hasBegun = false;
  const begin = async (): Promise<void> => {
    await Promise.all([bridge.started, upstream.started]);
    hasBegun = true;
  };
  // What prevents one ends the subscription.
  begin().catch(() => undefined);
  const encode: EncodeCursor = (position) => bridge.deadLetterCursorsOf(projectId).encode(position);
  const position = () => endPosition(deadLetterOffsets(bridge.next, upstream.next));
  return {
    /** Undefined: it is not known yet. */
    cursor: () => (hasBegun ? encode(position()) : undefined),
    /** Calls `tell` once, when both have read all there is. */
    whenCaughtUp(tell: (at: StreamPosition, encode: EncodeCursor) => void): void {
      void Promise.all([bridge.caughtUp, upstream.caughtUp]).then(() => tell(position(), encode));
    },
  };
}

/** Nothing is read of one before it is known where the other begins: a cursor says both. */
function readTogether(leases: readonly FeedLease[]): void {
  for (const { feed } of leases) feed.pause();
  const resume = async (): Promise<void> => {
    await Promise.all(leases.map(({ feed }) => feed.started));
    for (const { feed } of leases) feed.resume();
  };
  // What prevents one ends the subscription, and so both.
  resume().catch(() => undefined);
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
