import type { Principal } from '../auth/principal.ts';
import type { Event } from '../decode/event.ts';
import type { KafkaDriver } from '../kafka/port.ts';
import { traced } from '../observe/tracing.ts';
import type { Batching } from './batch-group.ts';
import { DeadLetterFeeds } from './dead-letters/dead-letter-feeds.ts';
import {
  DeadLetterServing,
  type DeadLetterServingSettings,
} from './dead-letters/dead-letter-serving.ts';
import type { Feed } from './feed.ts';
import type { FeedCounts } from './feed-counts.ts';
import type { FeedLogger } from './feed-health.ts';
import { EventServing, type EventServingSettings } from './event-serving.ts';
import { FeedRegistry } from './feed-registry.ts';
import { BatchesFollowing, EventsFollowing } from './following.ts';
import { type RefusalOf, refusalOf as ofOwnLogin } from './kafka-refusal.ts';
import type { KeepingBounds } from './keeping.ts';
import type { DeadLetterMessage, EventBatch, EventMessage, Message } from './message.ts';
import { NewestOfTopic, type NewestOfTopicOptions } from './newest-of-topic.ts';
import {
  type OpenSubscription,
  OpenSubscriptions,
  type OpenSubscriptionsOptions,
  type SubscriptionUse,
} from './open-subscriptions.ts';
import { Past } from './past.ts';
import {
  checkStart,
  type DeadLettersRequest,
  type EventsRequest,
  type Start,
  type SubscriptionKind,
} from './requests.ts';
import { CatchUps } from './resume/catch-ups.ts';
import type { Followed } from './resume/followed.ts';
import type { Following } from './resume/follower.ts';
import { ServedFrom, type Serving } from './serving.ts';
import type { Stream } from './stream.ts';
import type { Subscription } from './subscription.ts';
import { type TopicName, Topics, type TopicsOptions } from './topics.ts';
import { visibleCounts } from './visibility.ts';
import { Where } from './where.ts';

export interface HubOptions extends TopicsOptions, NewestOfTopicOptions, OpenSubscriptionsOptions {
  readonly driver: KafkaDriver;
  /** What all instances make their keys from; `null`: the cluster's id. */
  readonly secret: string | null;
  /** How much each stream remembers of what it delivered, for those who come back. */
  readonly historyBytes: number;
  /** How much is kept for batches and intervals. */
  readonly keeping: KeepingBounds;
  /** @default every login is the client's own */
  readonly refusalOf?: RefusalOf;
  readonly lingerMs: number;
  readonly maxCatchUpReadersPerProject: number;
  readonly maxTopicsPerProject: number;
  /** Most records that a feed reads at its start for their ids only. */
  readonly maxWarmUpRecords: number;
  readonly logger: FeedLogger;
  /** See `FeedRegistryOptions`. */
  readonly onFeedClosed?: ((feed: Feed) => void) | undefined;
}

/** What the server serves: subscriptions to feeds, and the newest of a topic. */
export class Hub {
  readonly registry: FeedRegistry;
  readonly #options: HubOptions;
  readonly #topics: Topics;
  readonly #newest: NewestOfTopic;
  readonly #subscriptions: OpenSubscriptions;
  readonly #eventSettings: EventServingSettings;
  readonly #deadLetterSettings: DeadLetterServingSettings;

  constructor(options: HubOptions) {
    const { clock, historyBytes, refusalOf = ofOwnLogin } = options;
    const registry = new FeedRegistry(options);
    const topics = new Topics({ ...options, clients: registry.clients, refusalOf });
    this.registry = registry;
    this.#options = options;
    this.#topics = topics;
    this.#newest = new NewestOfTopic({ ...options, registry, topics, refusalOf });
    this.#subscriptions = new OpenSubscriptions(options);
    const past = new Past({ registry, clock, refusalOf });
    this.#eventSettings = { registry, past, catchUps: new CatchUps() };
    const feeds = new DeadLetterFeeds({ registry, clock, historyBytes });
    this.#deadLetterSettings = { feeds, past, catchUps: new CatchUps() };
  }

  /** The open subscriptions, and what each is to. */
  get subscriptions(): ReadonlyMap<OpenSubscription, SubscriptionUse> {
    return this.#subscriptions.all;
  }

  /** What somebody may read has changed: ends the subscriptions to topics that they may not read any more. */
  rightsChanged(): void {
    this.#subscriptions.endUnreadable();
  }

  /** How many each project has that has any. */
  get subscriptionsByProject(): ReadonlyMap<string, number> {
    return this.#subscriptions.byProject;
  }

  /** See `Topics.list`. */
  topics(principal: Principal): Promise<TopicName[]> {
    return this.#topics.list(principal);
  }

  /** See `Topics.nameOf`. */
  topicName(principal: Principal, name: string): TopicName {
    return this.#topics.nameOf(principal, name);
  }

  /** See `Topics.deadLettersOf`. */
  deadLetterTopic(principal: Principal, topic: string): TopicName {
    return this.#topics.deadLettersOf(principal, topic);
  }

  /** See `Topics.assertReadable`. */
  assertReadable(principal: Principal, topic: string): void {
    this.#topics.assertReadable(principal, topic);
  }

  /** See `NewestOfTopic.events`. */
  newestEvents(...of: Parameters<NewestOfTopic['events']>): Promise<EventMessage[]> {
    return this.#newest.events(...of);
  }

  /** See `NewestOfTopic.deadLetters`. */
  newestDeadLetters(...of: Parameters<NewestOfTopic['deadLetters']>): Promise<DeadLetterMessage[]> {
    return this.#newest.deadLetters(...of);
  }

  /**
   * Resolves once the subscription is accepted: when reading has begun, or after a moment when the
   * cluster cannot be reached; it then waits. Rejects with a `MillraceError`.
   */
  events(principal: Principal, request: EventsRequest): Promise<Subscription<EventMessage>> {
    return this.#traced(principal, request, 'events', () =>
      this.#subscribe(principal, request, 'events', new EventsFollowing(principal, request)),
    );
  }

  /** As `events`, in batches. */
  eventBatches(
    principal: Principal,
    request: EventsRequest & { readonly batching: Batching },
  ): Promise<Subscription<EventBatch>> {
    return this.#traced(principal, request, 'eventBatches', () =>
      this.#subscribe(principal, request, 'eventBatches', new BatchesFollowing(principal, request)),
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
    checkStart(request, this.#options.clock);
    const where = Where.ofDeadLetters(principal);
    this.#subscriptions.assertPlace(principal.projectId);
    const { topic } = request;
    const sources = [
      this.#topics.events(principal, topic),
      this.#topics.deadLetters(principal, topic),
    ] as const;
    const serving = new DeadLetterServing(
      { principal, topic, sources, where },
      this.#deadLetterSettings,
    );
    return this.#serve(principal, request, serving);
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

  close(): Promise<void> {
    return this.registry.close();
  }

  async #subscribe<Item extends Message>(
    principal: Principal,
    request: EventsRequest,
    kind: SubscriptionKind,
    following: Following<Event, Stream, Item>,
  ): Promise<Subscription<Item>> {
    checkStart(request, this.#options.clock);
    this.#subscriptions.assertPlace(principal.projectId);
    const { topic, order, deduplicate } = request;
    const source = this.#topics.events(principal, topic);
    const options = {
      kind,
      principal,
      source,
      following,
      order: order ?? source.settings.order,
      deduplicate,
    };
    return this.#serve(principal, request, new EventServing(options, this.#eventSettings));
  }

  /** Serves a subscription from wherever it is to begin, for as long as it lasts. */
  #serve<Raw, S extends Followed<Raw>, Item extends Message>(
    principal: Principal,
    start: Start,
    serving: Serving<Raw, S, Item>,
  ): Promise<Subscription<Item>> {
    const served = new ServedFrom(serving, start, this.#options.clock);
    return this.#subscriptions.accept<Item>(principal, served);
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
}
