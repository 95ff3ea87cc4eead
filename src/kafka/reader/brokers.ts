import type { KafkaError, PartitionDescription, TopicDescription } from '../port.ts';
import type { FetchAnswer } from '../wire/fetch-answer.ts';

/** What a reader needs of its driver. */
export interface Brokers {
  /** @throws {KafkaError} `TOPIC_NOT_FOUND` and the like, too */
  describe(topic: string): Promise<TopicDescription>;
  /**
   * Where the logs of these partitions begin or end, transactions that have not ended included. One
   * question for each leader. Rejects never: what cannot be found out is an error in its place.
   */
  logBounds(
    topic: string,
    partitions: readonly LedPartition[],
    which: 'earliest' | 'latest',
  ): Promise<ReadonlyMap<number, number | KafkaError>>;
  /** A connection for the reader alone, not opened yet. @throws {KafkaError} if the node is not known */
  connectionTo(nodeId: number): FetchConnection;
}

export interface LedPartition extends PartitionDescription {
  readonly leader: number;
}

/** Opened once; when it breaks, another takes its place. All rejections are `KafkaError`. */
export interface FetchConnection {
  readonly usable: boolean;
  open(): Promise<void>;
  /**
   * One at a time. Buffers in the answer are valid until the second request after it is made.
   *
   * Rejects, and is not usable any more, if the broker stays silent beyond `maxWaitMs` and some.
   */
  fetch(request: FetchRequest): Promise<FetchAnswer>;
  /** Rejects what is under way. Idempotent. */
  close(): Promise<void>;
}

export interface FetchRequest {
  readonly topic: string;
  /** As `describe` told it. */
  readonly topicId: string | null;
  /** In the order in which they may fill the answer. */
  readonly positions: readonly FetchPosition[];
  readonly maxWaitMs: number;
  /** How long the broker said that it would keep this request waiting before it looks at it. */
  readonly throttledMs: number;
  /** Of the whole answer, and of one partition in it. */
  readonly maxBytes: number;
  readonly partitionMaxBytes: number;
}

export interface FetchPosition {
  readonly partition: number;
  readonly offset: number;
  /** Of the leader that is asked; `null`: unknown. */
  readonly leaderEpoch: number | null;
  /** Of the leader that wrote the last batch that was read; `null`: none was, or it does not count. */
  readonly readEpoch: number | null;
}
