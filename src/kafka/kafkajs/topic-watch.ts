import type { LostRange } from '../../core/errors.ts';
import { backoffMs } from '../backoff.ts';
import { KafkaError } from '../port.ts';
import {
  lostRange,
  missingTopicGraceMs,
  noLeader,
  notAuthorized,
  offsetOutOfRange,
  topicNotFound,
  topicRecreated,
} from '../topic-errors.ts';
import { Alarm } from './alarm.ts';
import type { Cluster } from './cluster.ts';
import { errorCode, toKafkaError, topicError } from './errors.ts';
import type { TopicMetadata } from './metadata.ts';
import type { LedPartition } from './offsets.ts';
import { findOffsets } from './offsets.ts';
import { Partition } from './partition.ts';

export interface TopicWatchOptions {
  readonly topic: string;
  /** Milliseconds between two looks when all is well. */
  readonly maxAgeMs: number;
  /** Nobody can be asked about these, for now. */
  readonly outOfReach: (partitions: readonly Partition[], error: KafkaError) => void;
  /** The topic cannot be read on. */
  readonly failed: (error: KafkaError) => void;
  /** Leaders may have changed. */
  readonly placed: () => void;
  /** After `checkRanges`: all positions are within the log. */
  readonly inRange: () => void;
}

/**
 * Keeps the partitions of one topic, and who leads them, up to date with the cluster's metadata: now
 * and then, and sooner when there is trouble with a leader.
 */
export class TopicWatch {
  readonly #cluster: Cluster;
  readonly #partitions: Map<number, Partition>;
  readonly #options: TopicWatchOptions;
  readonly #alarm = new Alarm();
  #stopped = false;
  #rangesInDoubt = false;
  #topicId: string | null = null;
  #missingSinceMs: number | null = null;

  /** @param partitions by id; the watch adds those that appear */
  constructor(cluster: Cluster, partitions: Map<number, Partition>, options: TopicWatchOptions) {
    this.#cluster = cluster;
    this.#partitions = partitions;
    this.#options = options;
    void this.#watch();
  }

  /** Look now. */
  look(): void {
    this.#alarm.ring();
  }

  /** A broker says that a position is not within the log: find out which, and how far. */
  checkRanges(): void {
    this.#rangesInDoubt = true;
    this.#alarm.ring();
  }

  /** Does not wait for a question under way: its answer is not heard any more. */
  stop(): void {
    this.#stopped = true;
    this.#alarm.ring();
  }

  async #watch(): Promise<void> {
    let failures = 0;
    while (!this.#stopped) {
      const trouble = await this.#update();
      failures = trouble ? failures + 1 : 0;
      if (this.#stopped) return;
      await this.#alarm.wait(trouble ? this.#retryMs(failures) : this.#options.maxAgeMs);
    }
  }

  #retryMs(failures: number): number {
    const graceMs =
      this.#missingSinceMs === null
        ? Infinity
        : this.#missingSinceMs + missingTopicGraceMs - Date.now();
    return Math.min(backoffMs(failures), Math.max(graceMs, 0));
  }

  /** Rejects never. @returns why it has to be tried again soon */
  async #update(): Promise<KafkaError | null> {
    try {
      const { topics } = await this.#cluster.describe([this.#options.topic]);
      if (this.#stopped) return null;
      return await this.#updateFrom(topics.find(({ name }) => name === this.#options.topic));
    } catch (error) {
      const trouble = toKafkaError(error);
      if (this.#stopped) return null;
      if (trouble.code === 'AUTHENTICATION_FAILED') this.#options.failed(trouble);
      // Leaders that are known are asked all the same, and tell for themselves how they are.
      const leaderless = this.#leaderless();
      if (leaderless.length > 0 || this.#partitions.size === 0) {
        this.#options.outOfReach(leaderless, trouble);
      }
      return trouble;
    }
  }

  async #updateFrom(topic: TopicMetadata | undefined): Promise<KafkaError | null> {
    const code = topic?.errorCode ?? errorCode.unknownTopicOrPartition;
    if (!topic || code === errorCode.unknownTopicOrPartition) return this.#missing();
    this.#missingSinceMs = null;
    if (code !== errorCode.none) {
      const trouble = topicError(topic.name, code);
      if (trouble.code !== 'UNAVAILABLE') this.#options.failed(trouble);
      else this.#options.outOfReach([...this.#partitions.values()], trouble);
      return trouble;
    }
    if (this.#topicId !== null && topic.topicId !== this.#topicId) {
      const recreated = topicRecreated(topic.name);
      this.#options.failed(recreated);
      return recreated;
    }
    this.#topicId = topic.topicId;

    const trouble = await this.#add(topic);
    if (this.#stopped) return null;
    const leaders = new Map(topic.partitions.map(({ id, leader }) => [id, leader]));
    for (const partition of this.#partitions.values()) {
      partition.ledBy(leaders.get(partition.id) ?? null);
    }
    this.#options.placed();
    const withoutLeader = this.#reportLeaderless();
    return (await this.#clearDoubt()) ?? trouble ?? withoutLeader;
  }

  /** A broker may not have heard of a new topic yet, so it is believed only after a while. */
  #missing(): KafkaError {
    const now = Date.now();
    this.#missingSinceMs ??= now;
    const missing = topicNotFound(this.#options.topic);
    if (now - this.#missingSinceMs >= missingTopicGraceMs) this.#options.failed(missing);
    return missing;
  }

  /** Partitions that are new here are read from their earliest offset. */
  async #add(topic: TopicMetadata): Promise<KafkaError | null> {
    const added = topic.partitions.filter(({ id }) => !this.#partitions.has(id));
    if (added.length === 0) return null;
    const led: LedPartition[] = [];
    for (const { id, leader } of added) {
      if (leader !== null) led.push({ topic: topic.name, partition: id, leader });
    }
    let trouble =
      led.length < added.length
        ? noLeader(
            topic.name,
            added.map(({ id }) => id),
          )
        : null;
    for (const { partition, offset } of await findOffsets(this.#cluster, led, 'earliest')) {
      if (offset instanceof KafkaError) trouble = offset;
      else this.#partitions.set(partition, new Partition(partition, offset));
    }
    if (trouble?.code === 'NOT_AUTHORIZED') this.#options.failed(notAuthorized(topic.name));
    else if (trouble && this.#partitions.size === 0) this.#options.outOfReach([], trouble);
    return trouble;
  }

  #leaderless(): Partition[] {
    return [...this.#partitions.values()].filter(({ leader }) => leader === null);
  }

  #reportLeaderless(): KafkaError | null {
    const leaderless = this.#leaderless();
    if (leaderless.length === 0) return null;
    const trouble = noLeader(
      this.#options.topic,
      leaderless.map(({ id }) => id),
    );
    this.#options.outOfReach(leaderless, trouble);
    return trouble;
  }

  /** Nothing is read meanwhile, so all positions stand still and all that is lost is told at once. */
  async #clearDoubt(): Promise<KafkaError | null> {
    if (!this.#rangesInDoubt || this.#stopped) return null;
    const ranges = await this.#lostRanges();
    if (this.#stopped) return null;
    if (ranges instanceof KafkaError) return ranges;
    if (ranges.length > 0) {
      const trouble = offsetOutOfRange(this.#options.topic, ranges);
      this.#options.failed(trouble);
      return trouble;
    }
    this.#rangesInDoubt = false;
    this.#options.inRange();
    return null;
  }

  async #lostRanges(): Promise<LostRange[] | KafkaError> {
    const led: LedPartition[] = [];
    for (const { id, leader } of this.#partitions.values()) {
      if (leader !== null) led.push({ topic: this.#options.topic, partition: id, leader });
    }
    const [starts, ends] = await Promise.all([
      findOffsets(this.#cluster, led, 'earliest'),
      findOffsets(this.#cluster, led, 'latest'),
    ]);
    const endOf = new Map(ends.map(({ partition, offset }) => [partition, offset]));
    const ranges: LostRange[] = [];
    for (const { partition, offset: start } of starts) {
      const end = endOf.get(partition) ?? new KafkaError('UNAVAILABLE', 'no end of the log');
      if (start instanceof KafkaError) return start;
      if (end instanceof KafkaError) return end;
      const position = this.#partitions.get(partition)?.position ?? start;
      const lost = lostRange(partition, position, { start, end });
      if (lost) ranges.push(lost);
    }
    return ranges;
  }
}
