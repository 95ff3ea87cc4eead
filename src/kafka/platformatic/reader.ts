import type { LostRange } from '../../core/errors.ts';
import { backoffMs, rest } from '../backoff.ts';
import {
  KafkaError,
  type ReaderOptions,
  type ReaderStatus,
  type RecordBatch,
  type TopicDescription,
  type TopicReader,
} from '../port.ts';
import { ReaderStatusLine } from '../reader-status.ts';
import {
  lostRange,
  missingTopicGraceMs,
  noLeader,
  offsetOutOfRange,
  topicRecreated,
} from '../topic-errors.ts';
import { Wakeup } from '../wakeup.ts';
import type { BrokerAddress } from './broker-connection.ts';
import type { Cluster } from './cluster.ts';
import type { FetchedPartition } from './fetch.ts';
import { LeaderFetcher, type ReadPosition } from './leader-fetcher.ts';
import { offsetOutOfRangeCode, partitionError } from './lib-errors.ts';
import { isolation } from './list-offsets.ts';
import { topicIn } from './metadata.ts';

/**
 * Reads a topic: keeps its positions, and steers a fetcher for each broker that leads some of its
 * partitions. Steering is one loop that looks at the metadata now and then, and soon after a leader
 * refused something or did not answer.
 */
export class PlatformaticReader implements TopicReader {
  readonly #cluster: Cluster;
  readonly #options: ReaderOptions;
  readonly #ended: () => void;
  readonly #line: ReaderStatusLine;
  readonly #positions = new Map<number, ReadPosition>();
  /** By node id. */
  readonly #fetchers = new Map<number, LeaderFetcher>();
  readonly #paused = new Set<number>();
  /** Partitions whose position their leader calls out of range. */
  readonly #suspects = new Set<number>();
  readonly #trouble = new Wakeup();
  #topicId: string | null = null;
  /** Milliseconds of the process's clock; `null`: the topic is there. */
  #missingSinceMs: number | null = null;
  /** How often steering was called for in a row, without all going well in between. */
  #troubles = 0;
  readonly #ending = new AbortController();

  /** @param ended called once, when nothing more is read */
  constructor(cluster: Cluster, options: ReaderOptions, ended: () => void) {
    this.#cluster = cluster;
    this.#options = options;
    this.#ended = ended;
    this.#line = new ReaderStatusLine(options.onStatus);
    for (const [partition, offset] of options.start) this.#keep(partition, offset);
    void this.#steer();
  }

  get status(): ReaderStatus {
    return this.#line.status;
  }

  pause(partitions: Iterable<number>): void {
    const paused = [...partitions];
    for (const partition of paused) this.#setPaused(partition, true);
    this.#line.paused(paused);
  }

  resume(partitions: Iterable<number>): void {
    for (const partition of partitions) this.#setPaused(partition, false);
    for (const fetcher of this.#fetchers.values()) fetcher.wake();
  }

  async close(): Promise<void> {
    this.#line.close();
    await this.#stop();
  }

  get #closed(): boolean {
    return this.#ending.signal.aborted;
  }

  async #steer(): Promise<void> {
    const refreshMs = this.#cluster.options.metadataMaxAgeMs ?? 10_000;
    while (!this.#closed) {
      const settled = await this.#look();
      if (this.#closed) return;
      if (!settled) this.#call();
      const called = await this.#trouble.next(refreshMs);
      if (called) await rest(this.#untilNextLookMs(), this.#ending.signal);
    }
  }

  /** Looks at the cluster and follows what it says. False: look again soon. Never rejects. */
  async #look(): Promise<boolean> {
    const { topic } = this.#options;
    try {
      const view = await this.#cluster.view([topic]);
      if (this.#closed) return true;
      const described = topicIn(view, topic);
      if (described instanceof KafkaError) throw described;
      this.#missingSinceMs = null;
      this.#topicId ??= described.topicId;
      if (described.topicId !== this.#topicId) {
        this.#fail(topicRecreated(topic));
        return true;
      }
      await this.#judgeSuspects();
      if (this.#closed) return true;
      return await this.#follow(described, view.brokers);
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      this.#failedToLook(error);
      return false;
    }
  }

  #failedToLook(error: KafkaError): void {
    if (this.#closed) return;
    if (error.code === 'TOPIC_NOT_FOUND') {
      this.#missingSinceMs ??= performance.now();
      if (performance.now() - this.#missingSinceMs >= missingTopicGraceMs) this.#fail(error);
      else this.#line.lost(this.#asked(), error);
    } else if (error.code !== 'UNAVAILABLE') {
      this.#fail(error);
    } else if (this.#fetchers.size === 0) {
      this.#line.lost(this.#asked(), error);
    }
    // Else the fetchers know better whether the partitions can be read.
  }

  /** Assigns each partition to its leader. False: there are some without one. */
  async #follow(
    described: TopicDescription,
    brokers: ReadonlyMap<number, BrokerAddress>,
  ): Promise<boolean> {
    await this.#begin(described);
    if (this.#closed) return true;
    const leaderless: number[] = [];
    for (const { id, leader, leaderEpoch } of described.partitions) {
      const position = this.#positions.get(id);
      const address = leader === null ? undefined : brokers.get(leader);
      this.#withdrawFromOthers(id, leader);
      if (!position || leader === null || !address) {
        leaderless.push(id);
        continue;
      }
      position.leaderEpoch = leaderEpoch ?? -1;
      this.#fetcher(leader, address).assign(position);
    }
    await this.#dismissIdle();
    if (leaderless.length === 0) return true;
    const asked = leaderless.filter((id) => !this.#paused.has(id));
    if (asked.length > 0) this.#line.lost(asked, noLeader(described.name, asked));
    return false;
  }

  /** Partitions that are new to this reader are read from their earliest offset. */
  async #begin({ name, partitions }: TopicDescription): Promise<void> {
    const added = partitions.filter(({ id }) => !this.#positions.has(id));
    if (added.length === 0) return;
    const earliest = (await this.#cluster.listOffsets([name], 'earliest')).get(name);
    if (!earliest || earliest instanceof KafkaError) {
      throw earliest ?? new KafkaError('UNAVAILABLE', `topic ${name}: no offsets`);
    }
    for (const { id } of added) {
      const offset = earliest.get(id);
      if (offset !== undefined) this.#keep(id, offset);
    }
  }

  /**
   * Fails with all that cannot be read, if it is so. A broker also says "out of range" for a moment
   * after a change of leaders.
   */
  async #judgeSuspects(): Promise<void> {
    if (this.#suspects.size === 0) return;
    const { topic } = this.#options;
    const before = Array.from(this.#positions.values(), ({ partition, offset }) => ({
      partition,
      offset,
    }));
    const starts = await this.#offsets('earliest');
    const ends = await this.#offsets('latest');
    const ranges: LostRange[] = [];
    for (const { partition, offset } of before) {
      const start = starts.get(partition);
      const end = ends.get(partition);
      const now = this.#positions.get(partition)?.offset;
      if (start === undefined || end === undefined || now === undefined) continue;
      // What is still read may have passed a bound since: only what was and is beyond it counts.
      const lost = lostRange(partition, now, { start, end });
      if (lost && lostRange(partition, offset, { start, end })) ranges.push(lost);
    }
    for (const partition of this.#suspects) {
      const position = this.#positions.get(partition);
      if (position) position.readEpoch = -1;
    }
    this.#suspects.clear();
    if (ranges.length > 0 && !this.#closed) this.#fail(offsetOutOfRange(topic, ranges));
  }

  async #offsets(at: 'earliest' | 'latest'): Promise<ReadonlyMap<number, number>> {
    const { topic } = this.#options;
    const offsets = await this.#cluster.listOffsets([topic], at, isolation.readUncommitted);
    const answer = offsets.get(topic);
    if (answer instanceof KafkaError) throw answer;
    return answer ?? new Map();
  }

  #fetcher(leader: number, address: BrokerAddress): LeaderFetcher {
    const known = this.#fetchers.get(leader);
    if (known) return known;
    const topic = { name: this.#options.topic, id: this.#topicId };
    const fetcher = new LeaderFetcher(topic, this.#options, {
      newConnection: () => this.#cluster.newConnection(address),
      delivered: (batches) => this.#deliver(batches),
      refused: (position, fetched) => this.#refused(position, fetched),
      unanswered: (positions, error) => this.#unanswered(positions, error),
    });
    this.#fetchers.set(leader, fetcher);
    return fetcher;
  }

  #withdrawFromOthers(partition: number, leader: number | null): void {
    for (const [nodeId, fetcher] of this.#fetchers) {
      if (nodeId !== leader) fetcher.withdraw(partition);
    }
  }

  async #dismissIdle(): Promise<void> {
    for (const [nodeId, fetcher] of this.#fetchers) {
      if (fetcher.size > 0) continue;
      this.#fetchers.delete(nodeId);
      await fetcher.close();
    }
  }

  #deliver(batches: readonly RecordBatch[]): void {
    if (this.#closed) return;
    this.#line.reached(batches.map((batch) => batch.partition));
    if (this.#line.status.state === 'running') this.#troubles = 0;
    this.#options.onBatches(batches);
  }

  #refused({ partition, offset }: ReadPosition, fetched: FetchedPartition): void {
    const { topic } = this.#options;
    if (this.#closed) return;
    if (fetched.divergesFrom !== null) {
      // The leader's log departs at the latest from the last record that was read.
      const from = Math.min(fetched.divergesFrom, offset - 1);
      this.#fail(offsetOutOfRange(topic, [{ partition, from, to: offset }]));
      return;
    }
    if (fetched.errorCode === offsetOutOfRangeCode) {
      this.#suspects.add(partition);
      this.#call();
      return;
    }
    const error = partitionError(topic, fetched.errorCode);
    if (!error || error.code === 'UNAVAILABLE') {
      if (error && !this.#paused.has(partition)) this.#line.lost([partition], error);
      this.#call();
    } else {
      this.#fail(error);
    }
  }

  #unanswered(positions: readonly ReadPosition[], error: KafkaError): void {
    if (this.#closed) return;
    if (error.code !== 'UNAVAILABLE') {
      this.#fail(error);
      return;
    }
    const asked = positions.map(({ partition }) => partition).filter((id) => !this.#paused.has(id));
    if (asked.length > 0) this.#line.lost(asked, error);
    this.#call();
  }

  #fail(error: KafkaError): void {
    if (this.#closed) return;
    void this.#stop();
    this.#line.fail(error);
  }

  async #stop(): Promise<void> {
    if (!this.#closed) this.#ended();
    this.#ending.abort();
    this.#trouble.wake();
    const fetchers = [...this.#fetchers.values()];
    await Promise.all(fetchers.map((fetcher) => fetcher.close()));
  }

  /** Has the cluster looked at soon. */
  #call(): void {
    this.#trouble.wake();
  }

  #untilNextLookMs(): number {
    const ms = backoffMs(++this.#troubles);
    if (this.#missingSinceMs === null) return ms;
    const graceLeftMs = this.#missingSinceMs + missingTopicGraceMs - performance.now();
    return Math.max(0, Math.min(ms, graceLeftMs));
  }

  #keep(partition: number, offset: number): void {
    const paused = this.#paused.has(partition);
    this.#positions.set(partition, { partition, offset, paused, readEpoch: -1, leaderEpoch: -1 });
  }

  #setPaused(partition: number, paused: boolean): void {
    if (paused) this.#paused.add(partition);
    else this.#paused.delete(partition);
    const position = this.#positions.get(partition);
    if (position) position.paused = paused;
  }

  #asked(): number[] {
    return [...this.#positions.keys()].filter((id) => !this.#paused.has(id));
  }
}
