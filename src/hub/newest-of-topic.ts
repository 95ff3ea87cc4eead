import type { Principal } from '../auth/principal.ts';
import type { Clock } from '../core/clock.ts';
import type { PropertyFilter } from '../decode/property-filter.ts';
import { KafkaError } from '../kafka/port.ts';
import type { ClientLease } from './client-pool.ts';
import { deadLetterOffsets, endPosition, offsetsOf } from './cursor/stream-position.ts';
import { Cursors } from './cursors.ts';
import type { FeedRegistry, FeedSource } from './feed-registry.ts';
import type { RefusalOf } from './kafka-refusal.ts';
import { DeadLetterMessage, EventMessage } from './message.ts';
import { type Newest, NewestDeadLetters, NewestEvents } from './newest.ts';
import { PerProject } from './per-project.ts';
import { readTail, type Tail } from './tail.ts';
import type { Topics } from './topics.ts';
import { assertSeesDeadLetters } from './visibility.ts';
import { Where } from './where.ts';

export interface NewestOfTopicOptions {
  readonly clock: Clock;
  /** Most bytes of text that the newest of a topic may have, as an answer to one query. */
  readonly maxRecentBytes: number;
  /** How many topics may be looked through for their newest at a time, for one project. */
  readonly maxRecentReadersPerProject: number;
}

interface Parts {
  readonly registry: FeedRegistry;
  readonly topics: Topics;
  readonly refusalOf: RefusalOf;
}

/** Records read beyond those asked for, because some may be duplicates. */
const duplicatesAllowance = 100;
/** Newest records of each partition that are looked through for what matches a filter. */
const searchedPerPartition = 5_000;

/** Reads the newest of a topic off the ends of its partitions, for one query, past all feeds. */
export class NewestOfTopic {
  readonly #options: NewestOfTopicOptions & Parts;
  readonly #places: PerProject;

  constructor(options: NewestOfTopicOptions & Parts) {
    this.#options = options;
    this.#places = new PerProject({
      max: options.maxRecentReadersPerProject,
      what: 'readers of recent events and dead letters',
      limit: 'limits.recentReadersPerProject',
    });
  }

  /**
   * The newest events of a topic by their own time, oldest first, without duplicates. Rejects with
   * `LIMIT_EXCEEDED` when they have too many bytes, or the project has too many such queries running.
   */
  async events(
    principal: Principal,
    topic: string,
    last: number,
    asked: readonly PropertyFilter[],
  ): Promise<EventMessage[]> {
    const { registry, topics, maxRecentBytes: maxBytes } = this.#options;
    const where = Where.of(principal, asked);
    const source = topics.events(principal, topic);
    const isAll = where.conditions.length === 0;
    const perPartition = isAll ? last + duplicatesAllowance : searchedPerPartition;
    const bounds = { last, maxBytes };
    const pick = (): NewestEvents => new NewestEvents(bounds, where);
    const [{ items, end }, topicId] = await Promise.all([
      this.#tail(principal, source, perPartition, pick),
      this.#topicId(principal, source),
    ]);
    const { kafkaTopic, settings } = source;
    const { order } = settings;
    const stream = { kind: 'events', order, deduplicate: true, settings } as const;
    const cursors = new Cursors({
      key: () => registry.keys.cursorKey,
      binding: { projectId: principal.projectId, kafkaTopic, stream },
      topicIds: () => [topicId],
    });
    // Of each the same: what comes after all of them.
    const place = { position: endPosition(offsetsOf(end)), encode: cursors.encode };
    return items.map((event) => new EventMessage(topic, event, false, place));
  }

  /** The newest dead letters of a topic by the broker's time, oldest first. Rejects as `events`. */
  async deadLetters(
    principal: Principal,
    topic: string,
    last: number,
  ): Promise<DeadLetterMessage[]> {
    const { registry, topics, maxRecentBytes: maxBytes } = this.#options;
    assertSeesDeadLetters(principal);
    const bounds = { last, maxBytes };
    const pick = (): NewestDeadLetters => new NewestDeadLetters(bounds);
    const [source, deadLetters] = [
      topics.events(principal, topic),
      topics.deadLetters(principal, topic),
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
      key: () => registry.keys.cursorKey,
      binding: { projectId: principal.projectId, kafkaTopic: source.kafkaTopic, stream },
      topicIds: () => topicIds,
    });
    const position = endPosition(deadLetterOffsets(bridge.end, upstream.end));
    const place = { position, encode: cursors.encode };
    return newest.answer().map((deadLetter) => new DeadLetterMessage(topic, deadLetter, place));
  }

  async #tail<Item>(
    principal: Principal,
    { topic, kafkaTopic, openDecoder, settings, whenMissing }: FeedSource,
    perPartition: number,
    pick: () => Newest<Item>,
  ): Promise<Tail<Item>> {
    const { registry, clock, refusalOf } = this.#options;
    const done = this.#places.take(principal.projectId);
    let lease: ClientLease | undefined;
    try {
      lease = registry.clients.lease(principal);
      const { client } = lease;
      const decode = openDecoder(settings);
      return await readTail({ client, kafkaTopic, decode, perPartition, clock }, pick);
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      if (error.code === 'TOPIC_NOT_FOUND' && whenMissing === 'wait') {
        return { items: [], end: new Map() };
      }
      throw refusalOf(error, topic);
    } finally {
      lease?.release();
      done();
    }
  }

  /** The cluster's id of a topic, `null` if it tells none; what cursors need is then known. */
  async #topicId(
    principal: Principal,
    { kafkaTopic, topic, whenMissing }: FeedSource,
  ): Promise<string | null> {
    const { registry, refusalOf } = this.#options;
    const lease = registry.clients.lease(principal);
    try {
      await registry.keys.learn(lease.client);
      const found = (await lease.client.describeTopics([kafkaTopic])).get(kafkaTopic);
      if (found instanceof KafkaError) throw found;
      return found?.topicId ?? null;
    } catch (error) {
      const isMissing = error instanceof KafkaError && error.code === 'TOPIC_NOT_FOUND';
      if (isMissing && whenMissing === 'wait') return null;
      throw error instanceof KafkaError ? refusalOf(error, topic) : error;
    } finally {
      lease.release();
    }
  }
}
