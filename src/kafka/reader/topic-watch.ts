import { backoffMs, rest } from '../backoff.ts';
import { KafkaError } from '../port.ts';
import type { TopicDescription } from '../port.ts';
import {
  missingTopicGraceMs,
  noLeader,
  offsetOutOfRange,
  topicRecreated,
} from '../topic-errors.ts';
import { Wakeup } from '../wakeup.ts';
import { asKafkaError } from './as-kafka-error.ts';
import type { Brokers, LedPartition } from './brokers.ts';
import { findLostRanges } from './lost-ranges.ts';
import type { Partition } from './partition.ts';

export interface TopicWatchOptions {
  readonly topic: string;
  /** Milliseconds between two looks when all is well. */
  readonly maxAgeMs: number;
  /** A partition that the reader does not know, and where its log begins. */
  readonly appeared: (partition: number, start: number) => void;
  /** Nobody can be asked about these, for now. */
  readonly outOfReach: (partitions: readonly Partition[], error: KafkaError) => void;
  /** The topic cannot be read on. */
  readonly failed: (error: KafkaError) => void;
  /** Leaders may have changed. */
  readonly placed: () => void;
  /** After `checkRanges`: all positions are within the log. */
  readonly inRange: () => void;
}

/** However many partitions are in trouble, the cluster is not asked more often than this. */
const closestLooksMs = 100;

/**
 * Keeps the partitions of one topic, and who leads them, up to date with the cluster's metadata: now
 * and then, and sooner when there is trouble with a leader.
 */
export class TopicWatch {
  readonly #brokers: Brokers;
  readonly #partitions: ReadonlyMap<number, Partition>;
  readonly #options: TopicWatchOptions;
  readonly #wakeup = new Wakeup();
  readonly #stopping = new AbortController();
  #rangesInDoubt = false;
  #topicId: string | null = null;
  #missingSinceMs: number | null = null;

  /** @param partitions that the reader knows, by id */
  constructor(
    brokers: Brokers,
    partitions: ReadonlyMap<number, Partition>,
    options: TopicWatchOptions,
  ) {
    this.#brokers = brokers;
    this.#partitions = partitions;
    this.#options = options;
    void this.#watch();
  }

  /** Of the incarnation that is read; `null` where it cannot be learned. */
  get topicId(): string | null {
    return this.#topicId;
  }

  /** Look now. */
  look(): void {
    this.#wakeup.wake();
  }

  /** A broker says that a position is not within the log: find out which, and how far. */
  checkRanges(): void {
    this.#rangesInDoubt = true;
    this.#wakeup.wake();
  }

  /** Does not wait for a question under way: its answer is not heard any more. */
  stop(): void {
    this.#stopping.abort();
    this.#wakeup.wake();
  }

  get #stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  async #watch(): Promise<void> {
    let failures = 0;
    while (!this.#stopped) {
      const nextLookMs = performance.now() + closestLooksMs;
      const trouble = await this.#update();
      failures = trouble ? failures + 1 : 0;
      if (this.#stopped) return;
      await this.#wakeup.next(trouble ? this.#retryMs(failures) : this.#options.maxAgeMs);
      await rest(Math.max(0, nextLookMs - performance.now()), this.#stopping.signal);
    }
  }

  #retryMs(failures: number): number {
    const graceMs =
      this.#missingSinceMs === null
        ? Infinity
        : this.#missingSinceMs + missingTopicGraceMs - performance.now();
    return Math.min(backoffMs(failures), Math.max(graceMs, 0));
  }

  /** Rejects never. @returns why it has to be tried again soon */
  async #update(): Promise<KafkaError | null> {
    try {
      const described = await this.#brokers.describe(this.#options.topic);
      this.#missingSinceMs = null;
      if (!this.#stopped) await this.#follow(described);
      return null;
    } catch (error) {
      const trouble = asKafkaError(error);
      if (!this.#stopped) this.#judge(trouble);
      return trouble;
    }
  }

  #judge(trouble: KafkaError): void {
    if (trouble.code === 'TOPIC_NOT_FOUND') {
      // A broker may not have heard of a new topic yet, so it is believed only after a while.
      this.#missingSinceMs ??= performance.now();
      const missingMs = performance.now() - this.#missingSinceMs;
      if (missingMs >= missingTopicGraceMs) return this.#options.failed(trouble);
    } else if (trouble.code !== 'UNAVAILABLE') {
      return this.#options.failed(trouble);
    }
    // Leaders that are known are asked all the same, and tell for themselves how they are.
    const leaderless = this.#leaderless();
    if (leaderless.length > 0 || this.#partitions.size === 0) {
      this.#options.outOfReach(leaderless, trouble);
    }
  }

  /** @throws {KafkaError} if not all could be placed, of which those that could be are none the worse */
  async #follow(described: TopicDescription): Promise<void> {
    const { name, topicId, partitions } = described;
    if (this.#topicId !== null && topicId !== null && topicId !== this.#topicId) {
      return this.#options.failed(topicRecreated(name));
    }
    this.#topicId ??= topicId;

    const trouble = await this.#add(described);
    if (this.#stopped) return;
    const places = new Map(partitions.map((partition) => [partition.id, partition]));
    for (const partition of this.#partitions.values()) {
      const { leader = null, leaderEpoch = null } = places.get(partition.id) ?? {};
      partition.ledBy(leader, leaderEpoch);
    }
    this.#options.placed();
    await this.#clearDoubt();
    if (this.#stopped) return;
    const leaderless = this.#leaderless().map(({ id }) => id);
    if (leaderless.length > 0) throw noLeader(name, leaderless);
    if (trouble) throw trouble;
  }

  /** Partitions that are new here are read from their earliest offset. */
  async #add({ name, partitions }: TopicDescription): Promise<KafkaError | null> {
    const added = partitions.filter(({ id }) => !this.#partitions.has(id));
    if (added.length === 0) return null;
    const led = added.filter((partition): partition is LedPartition => partition.leader !== null);
    const starts = await this.#brokers.logBounds(name, led, 'earliest');
    if (this.#stopped) return null;
    let trouble: KafkaError | null = null;
    for (const { id } of added) {
      const start = starts.get(id) ?? noLeader(name, [id]);
      if (start instanceof KafkaError) trouble = start;
      else this.#options.appeared(id, start);
    }
    return trouble;
  }

  #leaderless(): Partition[] {
    return [...this.#partitions.values()].filter(({ leader }) => leader === null);
  }

  /** Nothing is read meanwhile, so all positions stand still and all that is lost is told at once. */
  async #clearDoubt(): Promise<void> {
    if (!this.#rangesInDoubt) return;
    const { topic, failed, inRange } = this.#options;
    const ranges = await findLostRanges(this.#brokers, topic, this.#partitions.values());
    if (this.#stopped) return;
    if (ranges.length > 0) return failed(offsetOutOfRange(topic, ranges));
    this.#rangesInDoubt = false;
    inRange();
  }
}
