import type { Principal } from '../auth/principal.ts';
import type { Clock } from '../core/clock.ts';
import { MillraceError } from '../core/errors.ts';
import { createDecoder } from '../decode/decoder.ts';
import { kafkaTopic, topicOf } from '../decode/topic-name.ts';
import { decodeUpstreamDeadLetter } from '../decode/upstream-dead-letter.ts';
import { type KafkaDriver, KafkaError } from '../kafka/port.ts';
import type { EventOrder } from '../sequence/order.ts';
import type { FeedCounts, FeedLogger } from './feed.ts';
import type { ClientLease } from './client-pool.ts';
import { type FeedLease, FeedRegistry, type FeedSource } from './feed-registry.ts';
import { acceptWithinMs } from './feed-start.ts';
import type { Batching } from './batch-group.ts';
import { compileFilter, type EventFilter, type PropertyFilter } from './filter.ts';
import { type RefusalOf, refusalOf as ofOwnLogin } from './kafka-refusal.ts';
import { DeadLetterMessage, type EventBatch, EventMessage, type Message } from './message.ts';
import { type Newest, NewestDeadLetters, NewestEvents } from './newest.ts';
import { PerProject } from './per-project.ts';
import type { StreamKey } from './stream.ts';
import { type Pace, Subscription } from './subscription.ts';
import type { TopicSettings } from './topic-settings.ts';
import { readTail } from './tail.ts';

export interface HubOptions {
  readonly driver: KafkaDriver;
  readonly clock: Clock;
  /** Key of the digests of event ids, 32 bytes; `null`: derived from the cluster's id. */
  readonly idKey: Uint8Array | null;
  /** @default every login is the client's own */
  readonly refusalOf?: RefusalOf;
  readonly topicTemplate: string;
  readonly deadLetterSuffix: string;
  /** The settings of a topic, by the name that subscribers use. */
  readonly settingsOf: (topic: string) => TopicSettings;
  readonly lingerMs: number;
  readonly maxQueuedBytes: number;
  readonly maxPrivateFeedsPerProject: number;
  /** Most bytes of text that the newest of a topic may have, as an answer to one query. */
  readonly maxRecentBytes: number;
  /** How many topics may be looked through for their newest at a time, for one project. */
  readonly maxRecentReadersPerProject: number;
  readonly logger: FeedLogger;
}

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
  /** Start at the first record at or after this broker time, in milliseconds since 1970. */
  readonly sinceMs?: number | undefined;
}

export interface DeadLettersRequest {
  readonly topic: string;
  readonly sinceMs?: number | undefined;
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

  constructor(options: HubOptions) {
    this.#options = options;
    this.#refusalOf = options.refusalOf ?? ofOwnLogin;
    this.registry = new FeedRegistry(options);
    this.#tails = new PerProject({
      max: options.maxRecentReadersPerProject,
      what: 'readers of recent events and dead letters',
      limit: 'limits.recentReadersPerProject',
    });
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
        if (name !== undefined && mayRead(principal, name)) names.add(name);
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
  async events(principal: Principal, request: EventsRequest): Promise<Subscription<EventMessage>> {
    const { topic, where, sinceMs } = request;
    const { lease, key } = this.#stream(principal, request);
    return this.#accept(principal, [lease], sinceMs !== undefined, (subscription) => [
      lease.feed.addEvents(subscription, key, { topic, where }),
    ]);
  }

  /** As `events`, in batches. */
  async eventBatches(
    principal: Principal,
    request: EventsRequest & { readonly batching: Batching },
  ): Promise<Subscription<EventBatch>> {
    const { topic, where, sinceMs, batching } = request;
    const { lease, key } = this.#stream(principal, request);
    return this.#accept(principal, [lease], sinceMs !== undefined, (subscription) => [
      lease.feed.addBatches(subscription, key, { topic, where, shape: batching }),
    ]);
  }

  async deadLetters(
    principal: Principal,
    { topic, sinceMs }: DeadLettersRequest,
  ): Promise<Subscription<DeadLetterMessage>> {
    const bridge = this.#lease(principal, this.#events(principal, topic), sinceMs);
    let upstream: FeedLease;
    try {
      upstream = this.#lease(principal, this.#deadLetters(principal, topic), sinceMs);
    } catch (error) {
      bridge.release();
      throw error;
    }
    const leases = [bridge, upstream];
    return this.#accept(principal, leases, sinceMs !== undefined, (subscription) =>
      leases.map(({ feed }) => feed.addDeadLetters(subscription, topic)),
    );
  }

  /**
   * The newest events of a topic by their own time, oldest first, without duplicates. Rejects with
   * `LIMIT_EXCEEDED` when they have too many bytes, or the project has too many such queries running.
   */
  async newestEvents(
    principal: Principal,
    topic: string,
    last: number,
    where: readonly PropertyFilter[],
  ): Promise<EventMessage[]> {
    const filter = filterOf(where);
    const source = this.#events(principal, topic);
    const perPartition = filter === undefined ? last + duplicatesAllowance : searchedPerPartition;
    const bounds = { last, maxBytes: this.#options.maxRecentBytes };
    const pick = (): NewestEvents => new NewestEvents(bounds, filter);
    const events = await this.#tail(principal, source, perPartition, pick);
    return events.map((event) => new EventMessage(topic, event, false));
  }

  /** The newest dead letters of a topic by the broker's time, oldest first. Rejects as `newestEvents`. */
  async newestDeadLetters(
    principal: Principal,
    topic: string,
    last: number,
  ): Promise<DeadLetterMessage[]> {
    const bounds = { last, maxBytes: this.#options.maxRecentBytes };
    const pick = (): NewestDeadLetters => new NewestDeadLetters(bounds);
    const sources = await Promise.all([
      this.#tail(principal, this.#events(principal, topic), searchedPerPartition, pick),
      this.#tail(principal, this.#deadLetters(principal, topic), last, pick),
    ]);
    const newest = pick();
    for (const deadLetter of sources.flat()) newest.offer(deadLetter);
    return newest.answer().map((deadLetter) => new DeadLetterMessage(topic, deadLetter));
  }

  /**
   * What the shared feed of a topic is doing, or had done when it failed a moment ago; undefined: nobody
   * has subscribed.
   */
  countsOf(principal: Principal, kafkaTopic: string): FeedCounts | undefined {
    const { registry } = this;
    // A dead-letter topic is rarely read as anything else.
    return (
      registry.countsOf(principal, kafkaTopic, 'events') ??
      registry.countsOf(principal, kafkaTopic, 'deadLetters')
    );
  }

  close(): Promise<void> {
    return this.registry.close();
  }

  #stream(
    principal: Principal,
    { topic, order, deduplicate, sinceMs }: EventsRequest,
  ): { lease: FeedLease; key: StreamKey } {
    const source = this.#events(principal, topic);
    const lease = this.#lease(principal, source, sinceMs);
    return { lease, key: { order: order ?? source.settings.order, deduplicate } };
  }

  #events(principal: Principal, topic: string): FeedSource {
    principal.mayRead(topic);
    const settings = this.#options.settingsOf(topic);
    return {
      topic,
      holds: 'events',
      kafkaTopic: this.topicName(principal, topic).kafkaTopic,
      decode: createDecoder(settings),
      settings,
      whenMissing: 'refuse',
    };
  }

  #deadLetters(principal: Principal, topic: string): FeedSource {
    return {
      ...this.#events(principal, topic),
      holds: 'deadLetters',
      kafkaTopic: this.deadLetterTopic(principal, topic).kafkaTopic,
      decode: decodeUpstreamDeadLetter,
      whenMissing: 'wait',
    };
  }

  async #tail<Item>(
    principal: Principal,
    { topic, kafkaTopic, decode, whenMissing }: FeedSource,
    perPartition: number,
    pick: () => Newest<Item>,
  ): Promise<Item[]> {
    const done = this.#tails.take(principal.projectId);
    let lease: ClientLease | undefined;
    try {
      lease = this.registry.clients.lease(principal);
      const { client } = lease;
      const { clock } = this.#options;
      return await readTail({ client, kafkaTopic, decode, perPartition, clock }, pick);
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      if (error.code === 'TOPIC_NOT_FOUND' && whenMissing === 'wait') return [];
      throw this.#refusalOf(error, topic);
    } finally {
      lease?.release();
      done();
    }
  }

  #lease(principal: Principal, source: FeedSource, sinceMs: number | undefined): FeedLease {
    if (sinceMs === undefined) return this.registry.lease(principal, source);
    if (sinceMs > this.#options.clock.now() + maxAheadMs) {
      throw new MillraceError('BAD_USER_INPUT', 'since must not be in the future', {
        argument: 'since',
      });
    }
    return this.registry.leasePrivate(principal, principal.projectId, source, sinceMs);
  }

  async #accept<Item extends Message>(
    principal: Principal,
    leases: readonly FeedLease[],
    isPrivate: boolean,
    add: (subscription: Subscription<Item>) => readonly (() => void)[],
  ): Promise<Subscription<Item>> {
    const { maxQueuedBytes } = this.#options;
    const { revoked } = principal;
    const undo: (() => void)[] = leases.map((lease) => () => lease.release());
    const subscription = new Subscription<Item>({
      maxQueuedBytes,
      // A private feed is held up by its one reader: its backlog is bounded by what the ordering buffer
      // and two answers of a broker can release at once.
      ...(isPrivate ? { pace: paceOf(leases, maxQueuedBytes / 2) } : {}),
      onEnd: () => {
        for (const step of undo.toReversed()) step();
      },
    });
    try {
      undo.push(principal.retain());
      undo.push(() => revoked.unwatch(subscription));
      revoked.watch(subscription);
      undo.push(...add(subscription));
      await this.#begun(leases);
    } catch (error) {
      await subscription.return();
      throw error;
    }
    return subscription;
  }

  /** Waits for the feeds to begin; no longer than a moment. */
  async #begun(leases: readonly FeedLease[]): Promise<void> {
    const patience = Promise.withResolvers<void>();
    const timer = this.#options.clock.schedule(acceptWithinMs, patience.resolve);
    try {
      await Promise.race([Promise.all(leases.map(({ feed }) => feed.started)), patience.promise]);
    } finally {
      timer.cancel();
    }
  }
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

function mayRead(principal: Principal, topic: string): boolean {
  try {
    principal.mayRead(topic);
    return true;
  } catch {
    return false;
  }
}

function filterOf(where: readonly PropertyFilter[]): EventFilter | undefined {
  return where.length > 0 ? compileFilter(where) : undefined;
}
