import type { GraphQLResolveInfo, GraphQLScalarType, GraphQLScalarTypeConfig } from 'graphql';
import type { EventModel, EventBatchModel, DeadLetterModel, TopicModel } from '../transports/graphql/models.ts';
import type { Principal, PrincipalKey } from '../auth/principal.ts';
import type { GraphqlContext } from '../transports/graphql/context.ts';
export type Maybe<T> = T | null;
export type InputMaybe<T> = Maybe<T>;
export type RequireFields<T, K extends keyof T> = Omit<T, K> & { [P in K]-?: NonNullable<T[P]> };
/** All built-in and custom scalars, mapped to their actual values */
export type Scalars = {
  ID: { input: string; output: string; }
  String: { input: string; output: string; }
  Boolean: { input: boolean; output: boolean; }
  Int: { input: number; output: number; }
  Float: { input: number; output: number; }
  /** A whole number of any size, as a decimal string: `"9007199254740993"`. */
  BigInt: { input: string; output: string | number | bigint; }
  /**
   * Where a stream stands after a message. Given as `after`, to any instance, it continues exactly there. It is
   * good for the same project, topic and order, and for as long as Kafka holds what follows.
   */
  Cursor: { input: string; output: string; }
  /** An instant as RFC 3339 text in UTC, never less precise than it came: `2026-11-23T17:00:00.123456Z`. */
  DateTime: { input: string; output: string; }
  /** Any JSON value, passed on unchanged: integers beyond 2^53 keep their digits. */
  JSON: { input: unknown; output: unknown; }
};

/** What could not become an event. */
export type DeadLetter = {
  readonly __typename?: 'DeadLetter';
  /** Continues exactly after this dead letter; of `recentDeadLetters`, after all of them. */
  readonly cursor: Scalars['Cursor']['output'];
  /** What was wrong with it. */
  readonly error: Scalars['String']['output'];
  /** The original payload, verbatim. It may be invalid JSON and is never parsed. */
  readonly event: Scalars['String']['output'];
  /** Its place in the partition; the first one, where several records could not be read. */
  readonly offset: Scalars['BigInt']['output'];
  /** Of the Kafka topic that it lies in. */
  readonly partition: Scalars['Int']['output'];
  /** The broker's time of the record; where that could not be read either, when it was found. */
  readonly recordedAt: Scalars['DateTime']['output'];
  readonly source: DeadLetterSource;
  /** The topic of the events, by the name that it was asked for; also of what lies in its dead-letter topic. */
  readonly topic: Scalars['String']['output'];
};

export type DeadLetterSource =
  /** A record that could not be decoded here: of the topic itself or, as `error` then says, of the dead-letter topic. */
  | 'BRIDGE'
  /** From the dead-letter topic. */
  | 'UPSTREAM';

/**
 * All events, the newest per value of `by` every `everyMs`, or one every `everyMs`. What is left out is counted
 * in `omitted`. See docs/delivery.md.
 */
export type Delivery = {
  /** For LATEST: a dotted path into the payload, as in `user.id`. Without it: the newest of all. */
  readonly by?: InputMaybe<Scalars['String']['input']>;
  /** For LATEST and SAMPLE: milliseconds, between 10 and 60000. */
  readonly everyMs?: InputMaybe<Scalars['Int']['input']>;
  readonly mode?: DeliveryMode;
};

export type DeliveryMode =
  /** Each event. */
  | 'ALL'
  /** The first event at once, then in each interval the newest of each value of `by`. */
  | 'LATEST'
  /** The first event at once, then one event in each interval, of which each is equally likely. */
  | 'SAMPLE';

/** A record of a topic, as it lies in Kafka. */
export type Event = {
  readonly __typename?: 'Event';
  /** Continues exactly after this event; of `recentEvents`, after all of them. */
  readonly cursor: Scalars['Cursor']['output'];
  /** The event's own id; null if it has none (it is then never taken for a duplicate). */
  readonly id?: Maybe<Scalars['ID']['output']>;
  /** Its place in the order had already gone by, or its time is out of bounds; all others are in exact order. */
  readonly late: Scalars['Boolean']['output'];
  /** Its place in the partition. */
  readonly offset: Scalars['BigInt']['output'];
  /** Events that `delivery` left out since the message before; 0 with ALL. */
  readonly omitted: Scalars['Int']['output'];
  /** Of the Kafka topic. */
  readonly partition: Scalars['Int']['output'];
  /** The record's own JSON, unchanged. */
  readonly payload: Scalars['JSON']['output'];
  /** The broker's time of the record. */
  readonly recordedAt: Scalars['DateTime']['output'];
  /** The sender's number, by which SEQUENCE orders; null if it has none, or it is no whole number. */
  readonly sequence?: Maybe<Scalars['BigInt']['output']>;
  /** The event's own time; the broker's where it has none that can be read. */
  readonly timestamp: Scalars['DateTime']['output'];
  /** By the name that it was asked for. */
  readonly topic: Scalars['String']['output'];
  /** One property of the payload by its dotted path, unchanged; null if it is not there. */
  readonly value?: Maybe<Scalars['JSON']['output']>;
};


/** A record of a topic, as it lies in Kafka. */
export type EventValueArgs = {
  property: Scalars['String']['input'];
};

/** Events that come together, or none: how far the stream has come. */
export type EventBatch = {
  readonly __typename?: 'EventBatch';
  /** Continues exactly after this batch. */
  readonly cursor: Scalars['Cursor']['output'];
  /** In the order of their delivery. None: a report of progress, every 15 seconds where nothing else comes. */
  readonly events: ReadonlyArray<Event>;
  /**
   * In TIMESTAMP order: every event in time that is still to come has a `timestamp` at or after this. Null
   * while nothing is known, and in the other orders.
   */
  readonly watermark?: Maybe<Scalars['DateTime']['output']>;
};

export type EventOrder =
  /** As the records come, in the order of each partition; nothing waits. */
  | 'ARRIVAL'
  /** By the sender's sequence number; only gaps wait, for the lateness at most. */
  | 'SEQUENCE'
  /** By the event's own time, across partitions; each event waits for the configured lateness. */
  | 'TIMESTAMP';

export type FeedState =
  /** Some partitions cannot be read at the moment; the feed keeps trying and loses nothing. */
  | 'DEGRADED'
  /** Reading has ended for good; the subscriptions were told why. */
  | 'FAILED'
  /** Nobody is subscribed; the topic is not being read. */
  | 'IDLE'
  /** It is being read. */
  | 'RUNNING'
  /** It is being found out where to read from. */
  | 'STARTING';

export type FeedStatus = {
  readonly __typename?: 'FeedStatus';
  /** Messages handed to subscribers. */
  readonly delivered: Scalars['BigInt']['output'];
  /** Records left out because their id had been delivered already. */
  readonly duplicates: Scalars['BigInt']['output'];
  /** Events that wait in the ordering buffers now. */
  readonly held: Scalars['Int']['output'];
  /** Records in the log that have not been read yet. */
  readonly lag: Scalars['BigInt']['output'];
  /** Events delivered with `late: true`. */
  readonly late: Scalars['BigInt']['output'];
  /** Records read since the feed was started. */
  readonly received: Scalars['BigInt']['output'];
  /** Whether it is read. */
  readonly state: FeedState;
  /** Open subscriptions. */
  readonly subscribers: Scalars['Int']['output'];
};

/** What a condition asks of a property. Values are compared by type: `"7"` is not `7`. A missing property passes NE and EXISTS false only. */
export type FilterOperator =
  /** It is a list with an element that equals the value, or a string with the value inside. */
  | 'CONTAINS'
  /** It equals the value. */
  | 'EQ'
  /** It is there, even as null; with the value false: it is missing. */
  | 'EXISTS'
  /** It is greater than the value, a number or a string. */
  | 'GT'
  /** It is greater or equal. */
  | 'GTE'
  /** It equals one of a list of values. */
  | 'IN'
  /** It is less than the value, a number or a string. */
  | 'LT'
  /** It is less or equal. */
  | 'LTE'
  /** It does not equal the value, or is missing. */
  | 'NE'
  /** It is a string that begins with the value. */
  | 'STARTS_WITH';

export type KeyInfo = {
  readonly __typename?: 'KeyInfo';
  /** READ where the Kafka cluster itself decides: it does not tell. */
  readonly kind: KeyKind;
  /** Its name in the server's configuration; null where the Kafka cluster itself decides. */
  readonly name?: Maybe<Scalars['String']['output']>;
  /** The topics that it may read; null: all of the project's. */
  readonly topics?: Maybe<ReadonlyArray<Scalars['String']['output']>>;
};

export type KeyKind =
  | 'ACCESS'
  | 'MASTER'
  | 'READ';

export type Partition = {
  readonly __typename?: 'Partition';
  /** The first offset that the log still holds. */
  readonly earliestOffset: Scalars['BigInt']['output'];
  /** From 0. */
  readonly id: Scalars['Int']['output'];
  /** The offset that the next record will get. */
  readonly latestOffset: Scalars['BigInt']['output'];
};

export type Project = {
  readonly __typename?: 'Project';
  /** What its clients log in with, beside a key. */
  readonly id: Scalars['ID']['output'];
  /** The key that was used. */
  readonly key: KeyInfo;
};

/** All conditions of a list must hold. See docs/filters.md for the exact meaning of each operator. */
export type PropertyFilter = {
  readonly operator?: FilterOperator;
  /** A dotted path into the payload: `user.id`, `items.0.sku`. */
  readonly property: Scalars['String']['input'];
  /** What to compare with; for IN a list, for EXISTS true or false (true when left out). */
  readonly value?: InputMaybe<Scalars['JSON']['input']>;
};

export type Query = {
  readonly __typename?: 'Query';
  /** The project that the credentials belong to. */
  readonly project: Project;
  /** The newest dead letters of a topic, oldest first. Its own records are looked through as those of `recentEvents` are. */
  readonly recentDeadLetters: ReadonlyArray<DeadLetter>;
  /** The newest events of a topic, oldest first, without duplicates. */
  readonly recentEvents: ReadonlyArray<Event>;
  /** Null if there is no such topic for this project. */
  readonly topic?: Maybe<Topic>;
  /** All topics that the key may read, by name; dead-letter topics stand with their topics. */
  readonly topics: ReadonlyArray<Topic>;
};


export type QueryRecentDeadLettersArgs = {
  last?: InputMaybe<Scalars['Int']['input']>;
  topic: Scalars['String']['input'];
};


export type QueryRecentEventsArgs = {
  last?: InputMaybe<Scalars['Int']['input']>;
  topic: Scalars['String']['input'];
  where?: InputMaybe<ReadonlyArray<PropertyFilter>>;
};


export type QueryTopicArgs = {
  name: Scalars['String']['input'];
};

export type Subscription = {
  readonly __typename?: 'Subscription';
  /** What could not become an event: the topic's dead-letter topic, and records of the topic itself that cannot be decoded. */
  readonly deadLetters: DeadLetter;
  /**
   * The same stream in batches: for screens that redraw, and for high rates.
   *
   * A batch is sent when it has `maxEvents` events, or `maxWaitMs` after its first one came; sooner if it has very many bytes.
   */
  readonly eventBatches: EventBatch;
  /**
   * One message per event, as it happens, in order and without duplicates.
   *
   * It starts at the moment it was accepted; with `since`, at the first record whose broker time is at or
   * after that instant; with `after`, exactly after the message that carried the cursor.
   */
  readonly events: Event;
};


export type SubscriptionDeadLettersArgs = {
  after?: InputMaybe<Scalars['Cursor']['input']>;
  since?: InputMaybe<Scalars['DateTime']['input']>;
  topic: Scalars['String']['input'];
};


export type SubscriptionEventBatchesArgs = {
  after?: InputMaybe<Scalars['Cursor']['input']>;
  deduplicate?: InputMaybe<Scalars['Boolean']['input']>;
  delivery?: InputMaybe<Delivery>;
  maxEvents?: InputMaybe<Scalars['Int']['input']>;
  maxWaitMs?: InputMaybe<Scalars['Int']['input']>;
  order?: InputMaybe<EventOrder>;
  since?: InputMaybe<Scalars['DateTime']['input']>;
  topic: Scalars['String']['input'];
  where?: InputMaybe<ReadonlyArray<PropertyFilter>>;
};


export type SubscriptionEventsArgs = {
  after?: InputMaybe<Scalars['Cursor']['input']>;
  deduplicate?: InputMaybe<Scalars['Boolean']['input']>;
  delivery?: InputMaybe<Delivery>;
  order?: InputMaybe<EventOrder>;
  since?: InputMaybe<Scalars['DateTime']['input']>;
  topic: Scalars['String']['input'];
  where?: InputMaybe<ReadonlyArray<PropertyFilter>>;
};

export type Topic = {
  readonly __typename?: 'Topic';
  /** Its dead-letter topic, if there is one; null where the credentials have a filter. */
  readonly deadLetters?: Maybe<Topic>;
  /** What the server is doing with it, for this key's login. Where the credentials have a filter its `state` alone, and counts of 0. */
  readonly feed: FeedStatus;
  /** The name of the Kafka topic behind it. */
  readonly kafkaTopic: Scalars['String']['output'];
  /** What subscriptions call it. */
  readonly name: Scalars['String']['output'];
  /** None where the credentials have a filter: they would tell how much is hidden. */
  readonly partitions: ReadonlyArray<Partition>;
};



export type ResolverTypeWrapper<T> = Promise<T> | T;


export type ResolverWithResolve<TResult, TParent, TContext, TArgs> = {
  resolve: ResolverFn<TResult, TParent, TContext, TArgs>;
};
export type Resolver<TResult, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>, TArgs = Record<PropertyKey, never>> = ResolverFn<TResult, TParent, TContext, TArgs> | ResolverWithResolve<TResult, TParent, TContext, TArgs>;

export type ResolverFn<TResult, TParent, TContext, TArgs> = (
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => Promise<TResult> | TResult;

export type SubscriptionSubscribeFn<TResult, TParent, TContext, TArgs> = (
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => AsyncIterable<TResult> | Promise<AsyncIterable<TResult>>;

export type SubscriptionResolveFn<TResult, TParent, TContext, TArgs> = (
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => TResult | Promise<TResult>;

export interface SubscriptionSubscriberObject<TResult, TKey extends string, TParent, TContext, TArgs> {
  subscribe: SubscriptionSubscribeFn<{ [key in TKey]: TResult }, TParent, TContext, TArgs>;
  resolve?: SubscriptionResolveFn<TResult, { [key in TKey]: TResult }, TContext, TArgs>;
}

export interface SubscriptionResolverObject<TResult, TParent, TContext, TArgs> {
  subscribe: SubscriptionSubscribeFn<any, TParent, TContext, TArgs>;
  resolve: SubscriptionResolveFn<TResult, any, TContext, TArgs>;
}

export type SubscriptionObject<TResult, TKey extends string, TParent, TContext, TArgs> =
  | SubscriptionSubscriberObject<TResult, TKey, TParent, TContext, TArgs>
  | SubscriptionResolverObject<TResult, TParent, TContext, TArgs>;

export type SubscriptionResolver<TResult, TKey extends string, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>, TArgs = Record<PropertyKey, never>> =
  | ((...args: any[]) => SubscriptionObject<TResult, TKey, TParent, TContext, TArgs>)
  | SubscriptionObject<TResult, TKey, TParent, TContext, TArgs>;

export type TypeResolveFn<TTypes, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>> = (
  parent: TParent,
  context: TContext,
  info: GraphQLResolveInfo
) => Maybe<TTypes> | Promise<Maybe<TTypes>>;

export type IsTypeOfResolverFn<T = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>> = (obj: T, context: TContext, info: GraphQLResolveInfo) => boolean | Promise<boolean>;

export type NextResolverFn<T> = () => Promise<T>;

export type DirectiveResolverFn<TResult = Record<PropertyKey, never>, TParent = Record<PropertyKey, never>, TContext = Record<PropertyKey, never>, TArgs = Record<PropertyKey, never>> = (
  next: NextResolverFn<TResult>,
  parent: TParent,
  args: TArgs,
  context: TContext,
  info: GraphQLResolveInfo
) => TResult | Promise<TResult>;





/** Mapping between all available schema types and the resolvers types */
export type ResolversTypes = {
  BigInt: ResolverTypeWrapper<Scalars['BigInt']['output']>;
  Boolean: ResolverTypeWrapper<Scalars['Boolean']['output']>;
  Cursor: ResolverTypeWrapper<Scalars['Cursor']['output']>;
  DateTime: ResolverTypeWrapper<Scalars['DateTime']['output']>;
  DeadLetter: ResolverTypeWrapper<DeadLetterModel>;
  DeadLetterSource: DeadLetterSource;
  Delivery: Delivery;
  DeliveryMode: DeliveryMode;
  Event: ResolverTypeWrapper<EventModel>;
  EventBatch: ResolverTypeWrapper<EventBatchModel>;
  EventOrder: EventOrder;
  FeedState: FeedState;
  FeedStatus: ResolverTypeWrapper<FeedStatus>;
  FilterOperator: FilterOperator;
  ID: ResolverTypeWrapper<Scalars['ID']['output']>;
  Int: ResolverTypeWrapper<Scalars['Int']['output']>;
  JSON: ResolverTypeWrapper<Scalars['JSON']['output']>;
  KeyInfo: ResolverTypeWrapper<PrincipalKey>;
  KeyKind: KeyKind;
  Partition: ResolverTypeWrapper<Partition>;
  Project: ResolverTypeWrapper<Principal>;
  PropertyFilter: PropertyFilter;
  Query: ResolverTypeWrapper<Record<PropertyKey, never>>;
  String: ResolverTypeWrapper<Scalars['String']['output']>;
  Subscription: ResolverTypeWrapper<Record<PropertyKey, never>>;
  Topic: ResolverTypeWrapper<TopicModel>;
};

/** Mapping between all available schema types and the resolvers parents */
export type ResolversParentTypes = {
  BigInt: Scalars['BigInt']['output'];
  Boolean: Scalars['Boolean']['output'];
  Cursor: Scalars['Cursor']['output'];
  DateTime: Scalars['DateTime']['output'];
  DeadLetter: DeadLetterModel;
  Delivery: Delivery;
  Event: EventModel;
  EventBatch: EventBatchModel;
  FeedStatus: FeedStatus;
  ID: Scalars['ID']['output'];
  Int: Scalars['Int']['output'];
  JSON: Scalars['JSON']['output'];
  KeyInfo: PrincipalKey;
  Partition: Partition;
  Project: Principal;
  PropertyFilter: PropertyFilter;
  Query: Record<PropertyKey, never>;
  String: Scalars['String']['output'];
  Subscription: Record<PropertyKey, never>;
  Topic: TopicModel;
};

export interface BigIntScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['BigInt'], any> {
  name: 'BigInt';
}

export interface CursorScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['Cursor'], any> {
  name: 'Cursor';
}

export interface DateTimeScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['DateTime'], any> {
  name: 'DateTime';
}

export type DeadLetterResolvers<ContextType = GraphqlContext, ParentType extends ResolversParentTypes['DeadLetter'] = ResolversParentTypes['DeadLetter']> = {
  cursor?: Resolver<ResolversTypes['Cursor'], ParentType, ContextType>;
  error?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  event?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  offset?: Resolver<ResolversTypes['BigInt'], ParentType, ContextType>;
  partition?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  recordedAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  source?: Resolver<ResolversTypes['DeadLetterSource'], ParentType, ContextType>;
  topic?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
};

export type EventResolvers<ContextType = GraphqlContext, ParentType extends ResolversParentTypes['Event'] = ResolversParentTypes['Event']> = {
  cursor?: Resolver<ResolversTypes['Cursor'], ParentType, ContextType>;
  id?: Resolver<Maybe<ResolversTypes['ID']>, ParentType, ContextType>;
  late?: Resolver<ResolversTypes['Boolean'], ParentType, ContextType>;
  offset?: Resolver<ResolversTypes['BigInt'], ParentType, ContextType>;
  omitted?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  partition?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  payload?: Resolver<ResolversTypes['JSON'], ParentType, ContextType>;
  recordedAt?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  sequence?: Resolver<Maybe<ResolversTypes['BigInt']>, ParentType, ContextType>;
  timestamp?: Resolver<ResolversTypes['DateTime'], ParentType, ContextType>;
  topic?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  value?: Resolver<Maybe<ResolversTypes['JSON']>, ParentType, ContextType, RequireFields<EventValueArgs, 'property'>>;
};

export type EventBatchResolvers<ContextType = GraphqlContext, ParentType extends ResolversParentTypes['EventBatch'] = ResolversParentTypes['EventBatch']> = {
  cursor?: Resolver<ResolversTypes['Cursor'], ParentType, ContextType>;
  events?: Resolver<ReadonlyArray<ResolversTypes['Event']>, ParentType, ContextType>;
  watermark?: Resolver<Maybe<ResolversTypes['DateTime']>, ParentType, ContextType>;
};

export type FeedStatusResolvers<ContextType = GraphqlContext, ParentType extends ResolversParentTypes['FeedStatus'] = ResolversParentTypes['FeedStatus']> = {
  delivered?: Resolver<ResolversTypes['BigInt'], ParentType, ContextType>;
  duplicates?: Resolver<ResolversTypes['BigInt'], ParentType, ContextType>;
  held?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  lag?: Resolver<ResolversTypes['BigInt'], ParentType, ContextType>;
  late?: Resolver<ResolversTypes['BigInt'], ParentType, ContextType>;
  received?: Resolver<ResolversTypes['BigInt'], ParentType, ContextType>;
  state?: Resolver<ResolversTypes['FeedState'], ParentType, ContextType>;
  subscribers?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
};

export interface JsonScalarConfig extends GraphQLScalarTypeConfig<ResolversTypes['JSON'], any> {
  name: 'JSON';
}

export type KeyInfoResolvers<ContextType = GraphqlContext, ParentType extends ResolversParentTypes['KeyInfo'] = ResolversParentTypes['KeyInfo']> = {
  kind?: Resolver<ResolversTypes['KeyKind'], ParentType, ContextType>;
  name?: Resolver<Maybe<ResolversTypes['String']>, ParentType, ContextType>;
  topics?: Resolver<Maybe<ReadonlyArray<ResolversTypes['String']>>, ParentType, ContextType>;
};

export type PartitionResolvers<ContextType = GraphqlContext, ParentType extends ResolversParentTypes['Partition'] = ResolversParentTypes['Partition']> = {
  earliestOffset?: Resolver<ResolversTypes['BigInt'], ParentType, ContextType>;
  id?: Resolver<ResolversTypes['Int'], ParentType, ContextType>;
  latestOffset?: Resolver<ResolversTypes['BigInt'], ParentType, ContextType>;
};

export type ProjectResolvers<ContextType = GraphqlContext, ParentType extends ResolversParentTypes['Project'] = ResolversParentTypes['Project']> = {
  id?: Resolver<ResolversTypes['ID'], ParentType, ContextType>;
  key?: Resolver<ResolversTypes['KeyInfo'], ParentType, ContextType>;
};

export type QueryResolvers<ContextType = GraphqlContext, ParentType extends ResolversParentTypes['Query'] = ResolversParentTypes['Query']> = {
  project?: Resolver<ResolversTypes['Project'], ParentType, ContextType>;
  recentDeadLetters?: Resolver<ReadonlyArray<ResolversTypes['DeadLetter']>, ParentType, ContextType, RequireFields<QueryRecentDeadLettersArgs, 'last' | 'topic'>>;
  recentEvents?: Resolver<ReadonlyArray<ResolversTypes['Event']>, ParentType, ContextType, RequireFields<QueryRecentEventsArgs, 'last' | 'topic'>>;
  topic?: Resolver<Maybe<ResolversTypes['Topic']>, ParentType, ContextType, RequireFields<QueryTopicArgs, 'name'>>;
  topics?: Resolver<ReadonlyArray<ResolversTypes['Topic']>, ParentType, ContextType>;
};

export type SubscriptionResolvers<ContextType = GraphqlContext, ParentType extends ResolversParentTypes['Subscription'] = ResolversParentTypes['Subscription']> = {
  deadLetters?: SubscriptionResolver<ResolversTypes['DeadLetter'], "deadLetters", ParentType, ContextType, RequireFields<SubscriptionDeadLettersArgs, 'topic'>>;
  eventBatches?: SubscriptionResolver<ResolversTypes['EventBatch'], "eventBatches", ParentType, ContextType, RequireFields<SubscriptionEventBatchesArgs, 'deduplicate' | 'maxEvents' | 'maxWaitMs' | 'topic'>>;
  events?: SubscriptionResolver<ResolversTypes['Event'], "events", ParentType, ContextType, RequireFields<SubscriptionEventsArgs, 'deduplicate' | 'topic'>>;
};

export type TopicResolvers<ContextType = GraphqlContext, ParentType extends ResolversParentTypes['Topic'] = ResolversParentTypes['Topic']> = {
  deadLetters?: Resolver<Maybe<ResolversTypes['Topic']>, ParentType, ContextType>;
  feed?: Resolver<ResolversTypes['FeedStatus'], ParentType, ContextType>;
  kafkaTopic?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  name?: Resolver<ResolversTypes['String'], ParentType, ContextType>;
  partitions?: Resolver<ReadonlyArray<ResolversTypes['Partition']>, ParentType, ContextType>;
};

export type Resolvers<ContextType = GraphqlContext> = {
  BigInt?: GraphQLScalarType;
  Cursor?: GraphQLScalarType;
  DateTime?: GraphQLScalarType;
  DeadLetter?: DeadLetterResolvers<ContextType>;
  Event?: EventResolvers<ContextType>;
  EventBatch?: EventBatchResolvers<ContextType>;
  FeedStatus?: FeedStatusResolvers<ContextType>;
  JSON?: GraphQLScalarType;
  KeyInfo?: KeyInfoResolvers<ContextType>;
  Partition?: PartitionResolvers<ContextType>;
  Project?: ProjectResolvers<ContextType>;
  Query?: QueryResolvers<ContextType>;
  Subscription?: SubscriptionResolvers<ContextType>;
  Topic?: TopicResolvers<ContextType>;
};

