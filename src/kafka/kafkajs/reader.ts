import type {
  KafkaConnectionOptions,
  ReaderOptions,
  ReaderStatus,
  RecordBatch,
  TopicReader,
} from '../port.ts';
import { KafkaError } from '../port.ts';
import { ReaderStatusLine } from '../reader-status.ts';
import { notAuthorized } from '../topic-errors.ts';
import type { Cluster } from './cluster.ts';
import type { BrokerConnection } from './connection.ts';
import { errorCode, topicError } from './errors.ts';
import type { FetchAnswer, FetchedPartition } from './fetch.ts';
import type { FetchPlan } from './leader-loop.ts';
import { LeaderLoop } from './leader-loop.ts';
import { Partition } from './partition.ts';
import { offsetBehind, readBatches } from './record-batch.ts';
import { TopicWatch } from './topic-watch.ts';

/** An answer about one partition that has been taken note of but not handed over. */
interface Taken {
  readonly from: number;
  readonly nextOffset: number;
  readonly fetched: FetchedPartition;
}

/**
 * Reads one topic: keeps a loop for each leader, and knows by regular looks at the metadata who leads
 * what.
 *
 * Invariant: an answer counts only if its partition still stands where it stood when it was asked for
 * and is still led by who answers. So nothing is repeated or passed over however leaders change.
 */
export class KafkajsReader implements TopicReader, FetchPlan {
  readonly #cluster: Cluster;
  readonly #options: ReaderOptions;
  readonly #status: ReaderStatusLine;
  readonly #partitions = new Map<number, Partition>();
  readonly #loops = new Map<number, LeaderLoop>();
  readonly #watch: TopicWatch;
  readonly #closed = Promise.withResolvers<void>();
  /** Nothing is read any more: closed or failed. */
  #over = false;
  #closing = false;
  /** A partition seems to be out of range; until that is cleared nothing is handed over. */
  #doubted = false;

  constructor(cluster: Cluster, settings: KafkaConnectionOptions, options: ReaderOptions) {
    this.#cluster = cluster;
    this.#options = options;
    this.#status = new ReaderStatusLine(options.onStatus);
    for (const [id, position] of options.start) {
      this.#partitions.set(id, new Partition(id, position));
    }
    this.#watch = new TopicWatch(cluster, this.#partitions, {
      topic: options.topic,
      maxAgeMs: settings.metadataMaxAgeMs ?? 10_000,
      outOfReach: (partitions, error) => this.#outOfReach(partitions, error),
      failed: (error) => this.#fail(error),
      placed: () => this.#followLeaders(),
      inRange: () => this.#trustAgain(),
    });
  }

  get status(): ReaderStatus {
    return this.#status.status;
  }

  /** Resolves when `close` is done. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  pause(partitions: Iterable<number>): void {
    const paused: number[] = [];
    for (const id of partitions) {
      const partition = this.#partitions.get(id);
      if (!partition) continue;
      partition.paused = true;
      paused.push(id);
    }
    if (!this.#over) this.#status.paused(paused);
  }

  resume(partitions: Iterable<number>): void {
    for (const id of partitions) {
      const partition = this.#partitions.get(id);
      if (!partition?.paused) continue;
      partition.paused = false;
      if (partition.leader !== null) this.#loops.get(partition.leader)?.wake();
    }
  }

  async close(): Promise<void> {
    if (this.#closing) return this.closed;
    this.#closing = true;
    this.#over = true;
    this.#status.close();
    this.#watch.stop();
    await Promise.all(Array.from(this.#loops.values(), (loop) => loop.stop()));
    this.#closed.resolve();
  }

  get topic(): string {
    return this.#options.topic;
  }

  get maxBytes(): number {
    return this.#options.maxBytes ?? 1_048_576;
  }

  maxWaitMs(): number {
    return this.#options.maxWaitMs?.() ?? 500;
  }

  ledBy(nodeId: number): readonly Partition[] {
    if (this.#doubted) return [];
    return [...this.#partitions.values()].filter(({ leader }) => leader === nodeId);
  }

  connectionTo(nodeId: number): BrokerConnection {
    return this.#cluster.connectionTo(nodeId);
  }

  unreachable(partitions: readonly Partition[], error: KafkaError): void {
    if (this.#over) return;
    if (error.code === 'AUTHENTICATION_FAILED') return this.#fail(error);
    this.#lost(partitions, error);
  }

  accept(nodeId: number, asked: ReadonlyMap<number, number>, answer: FetchAnswer): () => void {
    const taken: Taken[] = [];
    for (const fetched of answer.partitions) {
      const partition = this.#partitions.get(fetched.partition);
      const from = asked.get(fetched.partition);
      if (this.#doubted || from === undefined || !partition) continue;
      if (partition.leader !== nodeId || partition.position !== from) continue;
      if (fetched.errorCode !== errorCode.none) {
        this.#refused(partition, fetched.errorCode);
        continue;
      }
      const nextOffset = offsetBehind(fetched.batches, from);
      partition.answered();
      partition.position = nextOffset;
      partition.behind = nextOffset < fetched.lastStableOffset;
      taken.push({ from, nextOffset, fetched });
    }
    return () => this.#handOver(taken);
  }

  #handOver(taken: readonly Taken[]): void {
    if (this.#over || taken.length === 0) return;
    const batches = taken.map(({ from, nextOffset, fetched }): RecordBatch => {
      const { partition, aborted, lastStableOffset, logStartOffset } = fetched;
      const { records, unreadable } = readBatches(fetched.batches, from, aborted);
      return {
        partition,
        records,
        nextOffset,
        highWatermark: lastStableOffset,
        logStartOffset,
        ...(unreadable.length > 0 ? { unreadable } : {}),
      };
    });
    this.#status.reached(batches.map(({ partition }) => partition));
    if (this.#over) return;
    try {
      this.#options.onBatches(batches);
    } catch (error) {
      // The positions are behind these records: to go on would lose them.
      this.#fail(new KafkaError('UNAVAILABLE', 'records could not be handed on', { cause: error }));
    }
  }

  #refused(partition: Partition, code: number): void {
    if (code === errorCode.topicAuthorizationFailed) return this.#fail(notAuthorized(this.topic));
    if (code === errorCode.offsetOutOfRange) {
      this.#doubted = true;
      this.#watch.checkRanges();
      return;
    }
    // Not asked again before the metadata names a leader, and by that whether it is still this topic:
    // one that was created anew under the same name would answer.
    if (code === errorCode.unknownTopicOrPartition) partition.ledBy(null);
    this.#lost([partition], topicError(this.topic, code));
  }

  #lost(partitions: readonly Partition[], error: KafkaError): void {
    const now = Date.now();
    for (const partition of partitions) partition.refused(now);
    this.#outOfReach(partitions, error);
    this.#watch.look();
  }

  /** Paused partitions are not missed. */
  #outOfReach(partitions: readonly Partition[], error: KafkaError): void {
    if (this.#over) return;
    const missed = partitions.filter(({ paused }) => !paused).map(({ id }) => id);
    if (missed.length > 0 || this.#partitions.size === 0) this.#status.lost(missed, error);
  }

  /** A loop for each leader, and none for who leads nothing any more. */
  #followLeaders(): void {
    if (this.#over) return;
    const leaders = new Set<number>();
    for (const { leader } of this.#partitions.values()) if (leader !== null) leaders.add(leader);
    for (const nodeId of leaders) {
      const loop = this.#loops.get(nodeId);
      if (loop) loop.wake();
      else this.#loops.set(nodeId, new LeaderLoop(nodeId, this));
    }
    for (const [nodeId, loop] of this.#loops) {
      if (!leaders.has(nodeId)) void this.#retire(nodeId, loop);
    }
  }

  /** It stays in the books until it is gone, for `close` to wait for. */
  async #retire(nodeId: number, loop: LeaderLoop): Promise<void> {
    await loop.stop();
    if (this.#loops.get(nodeId) === loop) this.#loops.delete(nodeId);
    this.#followLeaders();
  }

  #trustAgain(): void {
    this.#doubted = false;
    for (const loop of this.#loops.values()) loop.wake();
  }

  #fail(error: KafkaError): void {
    if (this.#over) return;
    this.#over = true;
    this.#watch.stop();
    for (const loop of this.#loops.values()) void loop.stop();
    this.#status.fail(error);
  }
}
