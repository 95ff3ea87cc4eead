import { setImmediate } from 'node:timers/promises';
import type { ReaderOptions, ReaderStatus, RecordBatch, TopicReader } from '../port.ts';
import { KafkaError } from '../port.ts';
import { ReaderStatusLine } from '../reader-status.ts';
import { offsetOutOfRange, partitionError } from '../topic-errors.ts';
import { errorCode } from '../wire/error-codes.ts';
import {
  AbortedTransactions,
  epochStarts,
  offsetBehind,
  readBatches,
} from '../wire/record-batch.ts';
import { partsOf, type Taken } from './answer-parts.ts';
import type { Brokers, FetchConnection } from './brokers.ts';
import type { Exchange, FetchPlan } from './leader-loop.ts';
import { LeaderLoop } from './leader-loop.ts';
import { Partition } from './partition.ts';
import { TopicWatch } from './topic-watch.ts';

/** The leader does not know the topic, or not this incarnation of it. */
const unknownTopicCodes: ReadonlySet<number> = new Set([
  errorCode.UNKNOWN_TOPIC_OR_PARTITION,
  errorCode.UNKNOWN_TOPIC_ID,
  errorCode.INCONSISTENT_TOPIC_ID,
]);

/**
 * Reads one topic of a cluster: keeps a loop for each leader, and knows by regular looks at the
 * metadata who leads what.
 *
 * Invariant: an answer counts only if its partition still stands where it stood when it was asked for
 * and is still led by who answers. So nothing is repeated or passed over however leaders change.
 */
export class ClusterReader implements TopicReader, FetchPlan {
  readonly #brokers: Brokers;
  readonly #options: ReaderOptions;
  readonly #status: ReaderStatusLine;
  readonly #partitions = new Map<number, Partition>();
  /** Those too that are not known yet. */
  readonly #paused = new Set<number>();
  readonly #loops = new Map<number, LeaderLoop>();
  readonly #watch: TopicWatch;
  readonly #closed = Promise.withResolvers<void>();
  /** Nothing is read any more: closed or failed. */
  #over = false;
  #closing = false;
  /** Seem to be out of range; until that is cleared nothing more is read. */
  readonly #suspects = new Set<Partition>();

  /** @param metadataMaxAgeMs milliseconds between two looks at the metadata when all is well */
  constructor(brokers: Brokers, options: ReaderOptions, metadataMaxAgeMs = 10_000) {
    this.#brokers = brokers;
    this.#options = options;
    this.#status = new ReaderStatusLine(options.onStatus);
    for (const [id, position] of options.start) this.#begin(id, position);
    this.#watch = new TopicWatch(brokers, this.#partitions, {
      topic: options.topic,
      maxAgeMs: metadataMaxAgeMs,
      appeared: (id, start) => this.#begin(id, start),
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
    const paused = [...partitions];
    for (const id of paused) {
      this.#paused.add(id);
      const partition = this.#partitions.get(id);
      if (partition) partition.paused = true;
    }
    if (!this.#over) this.#status.paused(paused);
  }

  resume(partitions: Iterable<number>): void {
    for (const id of partitions) {
      this.#paused.delete(id);
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

  get topicId(): string | null {
    return this.#watch.topicId;
  }

  get maxBytes(): number {
    return this.#options.maxBytes ?? 1_048_576;
  }

  maxWaitMs(): number {
    return this.#options.maxWaitMs?.() ?? 500;
  }

  turn(): Promise<void> {
    return this.#options.turn?.() ?? setImmediate();
  }

  ledBy(nodeId: number): readonly Partition[] {
    if (this.#suspects.size > 0) return [];
    return [...this.#partitions.values()].filter(
      ({ leader, inHand }) => leader === nodeId && (inHand === null || inHand === nodeId),
    );
  }

  connectionTo(nodeId: number): FetchConnection {
    return this.#brokers.connectionTo(nodeId);
  }

  unreachable(nodeId: number, partitions: readonly Partition[], error: KafkaError): void {
    if (this.#over) return;
    if (error.code !== 'UNAVAILABLE') return this.#fail(error);
    this.#outOfReach(
      partitions.filter(({ leader }) => leader === nodeId),
      error,
    );
    this.#watch.look();
  }

  accept(nodeId: number, { asked, answer, answeredAtMs }: Exchange): readonly (() => void)[] {
    const taken: Taken[] = [];
    for (const fetched of answer.partitions) {
      const partition = this.#partitions.get(fetched.partition);
      const from = asked.get(fetched.partition);
      if (this.#suspects.size > 0 || from === undefined || !partition) continue;
      if (partition.leader !== nodeId || partition.position !== from) continue;
      // What the last leader answered comes first, even if that was nothing.
      if (partition.inHand !== null && partition.inHand !== nodeId) continue;
      if (fetched.errorCode !== errorCode.NONE) {
        this.#refused(partition, fetched.errorCode);
      } else if (fetched.divergesFrom !== null) {
        this.#diverged(partition, fetched.divergesFrom);
      } else {
        const nextOffset = offsetBehind(fetched.batches, from);
        partition.answered();
        partition.position = nextOffset;
        const known = partition.isUnread ? null : partition.readEpoch;
        const epochs = epochStarts(fetched.batches, known);
        partition.readEpoch = epochs.at(-1)?.epoch ?? partition.readEpoch;
        if (epochs.length > 0) partition.isUnread = false;
        partition.behind = nextOffset < fetched.lastStableOffset;
        partition.inHand = nodeId;
        const transactions = new AbortedTransactions(fetched.aborted);
        taken.push({ from, nextOffset, epochs, fetched, transactions, hasMore: false });
      }
    }
    return partsOf(taken, this.#options.turn !== undefined).map((part) => () => {
      this.#handOver(part, answeredAtMs);
      for (const { fetched, hasMore } of part) if (!hasMore) this.#putDown(fetched.partition);
    });
  }

  /** Another leader may be asked for what follows. */
  #putDown(id: number): void {
    const partition = this.#partitions.get(id);
    if (partition === undefined) return;
    const { leader, inHand } = partition;
    partition.inHand = null;
    if (leader !== null && leader !== inHand) this.#loops.get(leader)?.wake();
  }

  #handOver(taken: readonly Taken[], answeredAtMs: number): void {
    if (this.#over) return;
    const ageMs = Math.max(0, performance.now() - answeredAtMs);
    const batches = taken.map(
      ({ from, nextOffset, epochs, fetched, transactions }): RecordBatch => {
        const { partition, lastStableOffset, logStartOffset } = fetched;
        const { records, unreadable } = readBatches(fetched.batches, from, transactions);
        return {
          partition,
          records,
          nextOffset,
          highWatermark: lastStableOffset,
          ageMs,
          logStartOffset,
          ...(epochs.length > 0 ? { epochs } : {}),
          ...(unreadable.length > 0 ? { unreadable } : {}),
        };
      },
    );
    this.#status.reached(batches.map(({ partition }) => partition));
    if (this.#over) return;
    try {
      this.#options.onBatches(batches);
    } catch (error) {
      // The positions are behind these records: to go on would lose them.
      this.#fail(new KafkaError('UNAVAILABLE', 'records could not be handed on', { cause: error }));
    }
  }

  #begin(id: number, position: number): void {
    const partition = new Partition(id, position);
    partition.paused = this.#paused.has(id);
    partition.readEpoch = this.#options.startEpochs?.get(id) ?? null;
    this.#partitions.set(id, partition);
  }

  #refused(partition: Partition, code: number): void {
    partition.refused(performance.now());
    if (code === errorCode.OFFSET_OUT_OF_RANGE) {
      // Also said for a moment after a change of leaders, and by a leader to whom `readEpoch` means
      // nothing any more.
      this.#suspects.add(partition);
      this.#watch.checkRanges();
      return;
    }
    const error = partitionError(this.topic, code);
    if (!error || this.#over) return;
    if (error.code !== 'UNAVAILABLE') return this.#fail(error);
    // Not asked again before the metadata names a leader, and by that whether it is still this topic:
    // one that was created anew under the same name would answer.
    if (unknownTopicCodes.has(code)) partition.ledBy(null);
    this.#outOfReach([partition], error);
    this.#watch.look();
  }

  /** The leader's log departs, at the latest, from the last record that was read. */
  #diverged(partition: Partition, divergesFrom: number): void {
    const { id, position, isUnread } = partition;
    if (isUnread && divergesFrom >= position) {
      // Only from records that lie behind the position.
      partition.readEpoch = null;
      return;
    }
    const from = Math.min(divergesFrom, position - 1);
    this.#fail(offsetOutOfRange(this.topic, [{ partition: id, from, to: position }]));
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
    for (const partition of this.#suspects) partition.readEpoch = null;
    this.#suspects.clear();
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
