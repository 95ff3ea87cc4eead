import { backoffMs, rest } from '../backoff.ts';
import { offsetBehind, readBatches } from '../kafkajs/record-batch.ts';
import { KafkaError, type ReaderOptions, type RecordBatch } from '../port.ts';
import { Wakeup } from '../wakeup.ts';
import type { BrokerConnection } from './broker-connection.ts';
import {
  fetchApis,
  lastLeaderEpoch,
  topicIdsSince,
  type FetchAnswer,
  type FetchedPartition,
} from './fetch.ts';
import { isolation } from './list-offsets.ts';
import { partitionError } from './lib-errors.ts';

/** Where a reader is in a partition. Only the fetcher that it is assigned to moves it. */
export interface ReadPosition {
  readonly partition: number;
  offset: number;
  /** Of the leader that wrote the last batch that was read; -1: none was read yet. */
  readEpoch: number;
  /** Of the leader that is asked; -1: unknown. */
  leaderEpoch: number;
  paused: boolean;
}

/** What a fetcher tells its reader. */
export interface FetcherOwner {
  /** Makes a connection to the leader; it is opened and closed by the fetcher. */
  readonly newConnection: () => BrokerConnection;
  readonly delivered: (batches: readonly RecordBatch[]) => void;
  /** The leader refused a partition, which is not asked about any more. */
  readonly refused: (position: ReadPosition, fetched: FetchedPartition) => void;
  /** The leader could not be asked about these; it is asked again. */
  readonly unanswered: (positions: readonly ReadPosition[], error: KafkaError) => void;
}

interface Fetch {
  /** With the offsets that were asked for: positions may move on before the answer is looked at. */
  readonly asked: ReadonlyMap<number, { readonly position: ReadPosition; readonly from: number }>;
  readonly answer: FetchAnswer;
}

/** A partition's part of an answer. */
interface Fetched {
  readonly position: ReadPosition;
  readonly from: number;
  readonly fetched: FetchedPartition;
}

/** An answer that takes longer than was asked for, by this, will not come. */
const overdueMs = 5_000;

/**
 * Reads the partitions that one broker leads: one fetch at a time, the next one under way while the
 * answer to the one before is handed over.
 */
export class LeaderFetcher {
  readonly #topic: { readonly name: string; readonly id: string | null };
  readonly #options: ReaderOptions;
  readonly #maxBytes: number;
  readonly #owner: FetcherOwner;
  readonly #assigned = new Map<number, ReadPosition>();
  readonly #wakeup = new Wakeup();
  readonly #ended = new AbortController();
  readonly #loop: Promise<void>;
  #connection: BrokerConnection | null = null;
  #failures = 0;
  /** The partition that may fill an answer first, another one each time, so that none starves. */
  #first = 0;

  constructor(
    topic: { readonly name: string; readonly id: string | null },
    options: ReaderOptions,
    owner: FetcherOwner,
  ) {
    this.#topic = topic;
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? 1024 * 1024;
    this.#owner = owner;
    this.#loop = this.#run();
  }

  get size(): number {
    return this.#assigned.size;
  }

  has(partition: number): boolean {
    return this.#assigned.has(partition);
  }

  assign(position: ReadPosition): void {
    if (this.#assigned.get(position.partition) === position) return;
    this.#assigned.set(position.partition, position);
    this.#wakeup.wake();
  }

  /** What is under way about the partition is not handed over any more. */
  withdraw(partition: number): void {
    this.#assigned.delete(partition);
  }

  /** To be called when something is no longer paused. */
  wake(): void {
    this.#wakeup.wake();
  }

  async close(): Promise<void> {
    this.#ended.abort();
    this.#connection?.destroy();
    this.#wakeup.wake();
    await this.#loop;
  }

  async #run(): Promise<void> {
    let underWay = this.#fetch();
    for (;;) {
      const fetch = await underWay;
      if (this.#ended.signal.aborted) return;
      const parts = fetch ? this.#advance(fetch) : [];
      underWay = this.#fetch();
      this.#deliver(parts);
    }
  }

  /** `null`: nothing was answered. Never rejects. */
  async #fetch(): Promise<Fetch | null> {
    const asked = this.#askable();
    if (asked.length === 0) {
      await this.#wakeup.next();
      return null;
    }
    try {
      const connection = this.#usable() ?? (await this.#connect());
      const answer = await this.#send(connection, asked);
      this.#failures = 0;
      return answer;
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      await this.#failed(asked, error);
      return null;
    }
  }

  #askable(): ReadPosition[] {
    const positions = [...this.#assigned.values()].filter((position) => !position.paused);
    const first = this.#first++ % Math.max(1, positions.length);
    return [...positions.slice(first), ...positions.slice(0, first)];
  }

  #usable(): BrokerConnection | null {
    return this.#connection?.closed === false ? this.#connection : null;
  }

  async #connect(): Promise<BrokerConnection> {
    const connection = this.#owner.newConnection();
    this.#connection = connection;
    await connection.open();
    return connection;
  }

  async #send(connection: BrokerConnection, positions: readonly ReadPosition[]): Promise<Fetch> {
    const api = connection.choose(
      this.#topic.id === null ? fetchApis.filter((one) => one.version < topicIdsSince) : fetchApis,
    );
    const { name, id } = this.#topic;
    const topicId = id !== null && api.version >= topicIdsSince ? id : name;
    const partitions = positions.map(({ partition, offset, leaderEpoch, readEpoch }) => ({
      partition,
      currentLeaderEpoch: leaderEpoch,
      fetchOffset: BigInt(offset),
      lastFetchedEpoch: readEpoch,
      partitionMaxBytes: this.#maxBytes,
    }));
    const asked = new Map(
      positions.map((position) => [position.partition, { position, from: position.offset }]),
    );
    const maxWaitMs = this.#options.maxWaitMs?.() ?? 500;
    const answer = await connection.request(
      api,
      [
        maxWaitMs,
        1,
        this.#maxBytes,
        isolation.readCommitted,
        0, // no session: each answer tells of all partitions
        -1,
        [{ topicId, partitions }],
        [],
        '',
      ],
      maxWaitMs + overdueMs,
    );
    if (answer.errorCode !== 0) {
      throw partitionError(name, answer.errorCode) ?? new KafkaError('UNAVAILABLE', 'no answer');
    }
    return { asked, answer };
  }

  async #failed(asked: readonly ReadPosition[], error: KafkaError): Promise<void> {
    this.#connection?.destroy();
    if (this.#ended.signal.aborted) return;
    this.#owner.unanswered(
      asked.filter((position) => this.#assigned.get(position.partition) === position),
      error,
    );
    await rest(backoffMs(++this.#failures), this.#ended.signal);
  }

  /** Moves positions behind what came, so that the next fetch can go out before it is looked at. */
  #advance({ asked, answer }: Fetch): Fetched[] {
    const parts: Fetched[] = [];
    for (const fetched of answer.partitions) {
      const question = asked.get(fetched.partition);
      // Withdrawn, or assigned anew, while the answer was under way.
      if (!question || this.#assigned.get(fetched.partition) !== question.position) continue;
      const { position, from } = question;
      if (isRefusal(fetched)) {
        this.#assigned.delete(fetched.partition);
      } else {
        position.offset = offsetBehind(fetched.batches, from);
        position.readEpoch = lastLeaderEpoch(fetched.batches) ?? position.readEpoch;
      }
      parts.push({ position, from, fetched });
    }
    return parts;
  }

  #deliver(parts: readonly Fetched[]): void {
    const batches: RecordBatch[] = [];
    for (const { from, fetched } of parts) {
      if (isRefusal(fetched)) continue;
      const { records, unreadable } = readBatches(fetched.batches, from, fetched.aborted);
      batches.push({
        partition: fetched.partition,
        records,
        nextOffset: offsetBehind(fetched.batches, from),
        highWatermark: fetched.stableOffset,
        logStartOffset: fetched.logStartOffset,
        ...(unreadable.length > 0 && { unreadable }),
      });
    }
    if (batches.length > 0) this.#owner.delivered(batches);
    for (const { position, fetched } of parts) {
      if (this.#ended.signal.aborted) return;
      if (isRefusal(fetched)) this.#owner.refused(position, fetched);
    }
  }
}

function isRefusal({ errorCode, divergesFrom }: FetchedPartition): boolean {
  return errorCode !== 0 || divergesFrom !== null;
}
