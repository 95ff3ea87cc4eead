import type { LostRange } from '../core/errors.ts';

/**
 * The port through which Millrace reads Kafka: read only, without consumer groups, from offsets
 * that the caller chooses. Three implementations pass one conformance suite: the `kafkajs` driver,
 * the `@platformatic/kafka` driver and the embedded log.
 *
 * Offsets are numbers: a partition would need 285 years at a million records a second to pass 2^53.
 */
export interface KafkaDriver {
  readonly name: 'kafkajs' | 'platformatic' | 'embedded';
  /** A client that logs in as `sasl` (`null`: no login). Opens no connection yet. */
  connect(sasl: KafkaSasl | null): KafkaClient;
}

export type KafkaSasl =
  | {
      readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
      readonly username: string;
      readonly password: string;
    }
  | {
      readonly mechanism: 'OAUTHBEARER';
      /** Called for every login; answers a bearer token. */
      readonly token: () => Promise<string>;
    };

/** How to reach the cluster. */
export interface KafkaConnectionOptions {
  /** Bootstrap servers, `host:port`. */
  readonly brokers: readonly string[];
  readonly ssl: KafkaTls | false;
  readonly clientId: string;
  /** Milliseconds until a connection attempt is given up. @default 5_000 */
  readonly connectTimeoutMs?: number;
  /** Milliseconds without an answer after which a connection counts as dead, at most 10_000. @default 10_000 */
  readonly requestTimeoutMs?: number;
  /** Milliseconds between metadata refreshes, by which new partitions are found. @default 10_000 */
  readonly metadataMaxAgeMs?: number;
}

/** PEM texts. An empty object: TLS with the system's authorities. */
export interface KafkaTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
}

/** One login's view of the cluster. All rejections are `KafkaError`. */
export interface KafkaClient {
  /**
   * Logs in afresh on a connection of its own, which is then closed: what the cluster says *now* of
   * these credentials, whatever open connections are still allowed.
   */
  login(): Promise<void>;
  clusterId(): Promise<string>;
  /** Names of the topics that this login may describe, internal ones left out. */
  listTopics(): Promise<string[]>;
  /**
   * One metadata request for all of them. A topic that cannot be described maps to its error; an internal one is
   * `TOPIC_NOT_FOUND`.
   */
  describeTopics(topics: readonly string[]): Promise<Map<string, TopicDescription | KafkaError>>;
  /** One request for each broker, however many topics. Never creates a topic. */
  listOffsets(
    topics: readonly string[],
    at: OffsetPoint,
  ): Promise<Map<string, PartitionOffsets | KafkaError>>;
  /** Starts to read a topic over connections of its own. Never throws: see `ReaderOptions.onStatus`. */
  openReader(options: ReaderOptions): TopicReader;
  /** Closes all connections and readers. */
  close(): Promise<void>;
}

/** `timestampMs`: the first record at or after that broker time; past the end: the high watermark. */
export type OffsetPoint = 'earliest' | 'latest' | { readonly timestampMs: number };

/** Partition to offset. */
export type PartitionOffsets = ReadonlyMap<number, number>;

/** Partition to leader epoch. */
export type PartitionEpochs = ReadonlyMap<number, number>;

/** From an offset on, records were written under a leader of this epoch. */
export interface EpochStart {
  readonly from: number;
  readonly epoch: number;
}

export interface TopicDescription {
  readonly name: string;
  /**
   * The cluster's id of this incarnation of the topic, as Kafka's tools write it: 16 bytes in base64url. The
   * same by every driver, as cursors tell by it whose they are. `null` where the client cannot learn it.
   */
  readonly topicId: string | null;
  readonly partitions: readonly PartitionDescription[];
}

export interface PartitionDescription {
  readonly id: number;
  /** Node id of the leader; `null` while there is none. */
  readonly leader: number | null;
  readonly leaderEpoch: number | null;
}

export interface ReaderOptions {
  readonly topic: string;
  /**
   * Where to begin, by partition. A partition that is not listed (one that was added later) is read
   * from its earliest offset.
   */
  readonly start: PartitionOffsets;
  /**
   * By partition, the leader epoch that was known where the record before `start` was read, or a later one. If the
   * log has departed below `start` from the one that was read then, the reader fails with `OFFSET_OUT_OF_RANGE`
   * (brokers since Kafka 2.7 can tell). @default none
   */
  readonly startEpochs?: PartitionEpochs;
  /**
   * Called once for each answer of a broker (or part of one, see `turn`), synchronously, with one batch for each
   * partition asked about, empty ones included. Buffers in it are valid during the call only: copy what is kept.
   */
  readonly onBatches: (batches: readonly RecordBatch[]) => void;
  /** Called at every change of status. After `failed` nothing more is read. */
  readonly onStatus: (status: ReaderStatus) => void;
  /** How long a broker may wait for a first record, asked anew for each fetch. @default 500 */
  readonly maxWaitMs?: () => number;
  /** Most bytes of one answer (a single larger record still passes). @default 1_048_576 */
  readonly maxBytes?: number;
  /**
   * Waited for before each part of an answer is handed over: that of one partition or, where that is large, a piece of
   * it. @default each part has a turn of the event loop, and only a large answer has more than one
   */
  readonly turn?: () => Promise<void>;
}

export interface TopicReader {
  readonly status: ReaderStatus;
  /** Stops fetching these partitions; an answer under way is still delivered. The back-pressure. */
  pause(partitions: Iterable<number>): void;
  resume(partitions: Iterable<number>): void;
  /** Resolves when no further call-back can happen and its connections are closed. Idempotent. */
  close(): Promise<void>;
}

/**
 * `starting` until the first answer; `degraded` while some partitions cannot be read and the reader
 * keeps trying (leader change, broker down, cluster unreachable); `failed` is final.
 */
export type ReaderStatus =
  | { readonly state: 'starting' }
  | { readonly state: 'running' }
  | {
      readonly state: 'degraded';
      readonly error: KafkaError;
      /** Partitions that are not being read. */
      readonly partitions: readonly number[];
    }
  | { readonly state: 'failed'; readonly error: KafkaError };

/** The records of one partition from one answer, in offset order, none below the position asked for. */
export interface RecordBatch {
  readonly partition: number;
  readonly records: readonly RawRecord[];
  /**
   * Where reading goes on. May be past the last record + 1: control records, aborted transactions
   * and compaction leave holes that are no loss.
   */
  readonly nextOffset: number;
  /** End of what may be read (the last stable offset; transactions are read committed). */
  readonly highWatermark: number;
  /**
   * How long ago the broker answered, in milliseconds: what it says of the end of the log is of then. @default 0
   */
  readonly ageMs?: number;
  /** First offset that the log still holds. */
  readonly logStartOffset: number;
  /** Where the leader epoch changed in what was read, and at its first record; absent: nowhere. */
  readonly epochs?: readonly EpochStart[];
  /** Records that the client could not take out of their batch. Passed over; `nextOffset` is behind them. */
  readonly unreadable?: readonly UnreadableRange[];
}

/** One record as it lies in the log. */
export interface RawRecord {
  readonly offset: number;
  /** Broker time (or, on a CreateTime topic, the producer's), in milliseconds since 1970. */
  readonly timestampMs: number;
  readonly key: Buffer | null;
  /** `null`: a tombstone. */
  readonly value: Buffer | null;
}

export interface UnreadableRange {
  /** Inclusive. */
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly reason: string;
}

export type KafkaErrorCode =
  /** The login was refused. */
  | 'AUTHENTICATION_FAILED'
  /** The login may not read or describe the topic. */
  | 'NOT_AUTHORIZED'
  | 'TOPIC_NOT_FOUND'
  /** The topic was deleted and created again: a reader's positions are of the former one. */
  | 'TOPIC_RECREATED'
  /** A position below the start or above the end of the log: `ranges`. Never reset silently. */
  | 'OFFSET_OUT_OF_RANGE'
  /** Everything that another attempt may mend. */
  | 'UNAVAILABLE';

/** What Kafka or the way to it refused. The message never holds a credential. */
export class KafkaError extends Error {
  override readonly name = 'KafkaError';
  readonly code: KafkaErrorCode;
  /**
   * With `OFFSET_OUT_OF_RANGE`, what cannot be read: the log start passed the position
   * (`from` = position, `to` = log start), or the log ends before it (`from` = end, `to` = position).
   */
  readonly ranges: readonly LostRange[];

  constructor(
    code: KafkaErrorCode,
    message: string,
    options: ErrorOptions & { ranges?: readonly LostRange[] } = {},
  ) {
    super(message, options);
    this.code = code;
    this.ranges = options.ranges ?? [];
  }
}
