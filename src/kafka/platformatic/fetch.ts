import {
  createAPI,
  fetchV11,
  fetchV12,
  fetchV13,
  fetchV15,
  fetchV17,
  type API,
  type Reader,
} from '@platformatic/kafka';
import type { AbortedTransaction } from '../kafkajs/record-batch.ts';

/** What a broker answers about one partition. */
export interface FetchedPartition {
  readonly partition: number;
  /** 0: none. See the protocol's table of errors. */
  readonly errorCode: number;
  /** End of what may be read: the last stable offset. */
  readonly stableOffset: number;
  readonly logStartOffset: number;
  /** Where the log of the leader departs from the one that was read; `null`: it does not. */
  readonly divergesFrom: number | null;
  readonly aborted: readonly AbortedTransaction[];
  /** As they lie in the log; the last may be cut off. A slice of the answer. */
  readonly batches: Buffer;
}

/** An answer to a fetch; one topic only is asked about. */
export interface FetchAnswer {
  /** Of the whole answer; 0: none. */
  readonly errorCode: number;
  readonly partitions: readonly FetchedPartition[];
}

type FetchRequest = Parameters<typeof fetchV17.createRequest>;

/** From which version on topics go by their ids. Before, they go by their names. */
export const topicIdsSince = 13;

/**
 * Fetch with the library's requests, and answers that are taken apart here. `Consumer.fetch` would not
 * do: one batch that cannot be read costs it the whole answer, and its filter lets aborted records
 * through when their marker is not in the same answer, and drops committed ones when their producer
 * aborts an empty transaction after them.
 */
export const fetchApis: readonly API<FetchRequest, FetchAnswer>[] = [
  createAPI(1, 17, fetchV17.createRequest, compactAnswer),
  createAPI(1, 15, fetchV15.createRequest, compactAnswer),
  createAPI(1, 13, fetchV13.createRequest, compactAnswer),
  createAPI(1, 12, fetchV12.createRequest, (_id, _key, _version, reader) =>
    answer(reader, { compact: true, named: true }),
  ),
  createAPI(
    1,
    11,
    fetchV11.createRequest,
    (_id, _key, _version, reader) => answer(reader, { compact: false, named: true }),
    false,
    false,
  ),
];

function compactAnswer(_id: number, _key: number, _version: number, reader: Reader): FetchAnswer {
  return answer(reader, { compact: true, named: false });
}

interface Shape {
  /** Lengths are variable-length integers and structures end in tagged fields. */
  readonly compact: boolean;
  /** Topics go by their names. */
  readonly named: boolean;
}

function answer(reader: Reader, { compact, named }: Shape): FetchAnswer {
  reader.readInt32(); // throttle time
  const errorCode = reader.readInt16();
  reader.readInt32(); // session
  const topics = reader.readArray(
    () => {
      if (named) reader.readString(compact);
      else reader.readUUID();
      return reader.readArray(() => partition(reader, compact), compact, false);
    },
    compact,
    compact,
  );
  return { errorCode, partitions: topics.flat() };
}

function partition(reader: Reader, compact: boolean): FetchedPartition {
  const partition = reader.readInt32();
  const errorCode = reader.readInt16();
  const highWatermark = Number(reader.readInt64());
  const stableOffset = Number(reader.readInt64());
  const logStartOffset = Number(reader.readInt64());
  const aborted = reader.readArray(
    () => ({ producerId: Number(reader.readInt64()), firstOffset: Number(reader.readInt64()) }),
    compact,
    compact,
  );
  reader.readInt32(); // preferred read replica
  const batches = reader.readBytes(compact);
  return {
    partition,
    errorCode,
    stableOffset: stableOffset < 0 ? highWatermark : stableOffset,
    logStartOffset,
    aborted,
    batches,
    divergesFrom: compact ? readDivergence(reader) : null,
  };
}

const divergingEpochTag = 0;

/** Reads the tagged fields of a partition, of which only this one is of use. */
function readDivergence(reader: Reader): number | null {
  let divergesFrom: number | null = null;
  for (let count = reader.readUnsignedVarInt(); count > 0; count--) {
    const tag = reader.readUnsignedVarInt();
    const end = reader.readUnsignedVarInt() + reader.position;
    if (tag === divergingEpochTag) {
      reader.readInt32(); // epoch
      divergesFrom = Number(reader.readInt64());
    }
    reader.position = end;
  }
  return divergesFrom;
}

/** Of the last batch: by it the broker finds out that its log is no longer the one that was read. */
export function lastLeaderEpoch(batches: Buffer): number | null {
  let epoch: number | null = null;
  for (let at = 0; at + leaderEpochEnd <= batches.length; ) {
    const end = at + prefixBytes + batches.readInt32BE(at + lengthAt);
    if (end <= at || end > batches.length) break;
    epoch = batches.readInt32BE(at + prefixBytes);
    at = end;
  }
  return epoch;
}

/** A batch begins with its base offset (8 bytes), the length of the rest (4), the leader epoch (4). */
const lengthAt = 8;
const prefixBytes = 12;
const leaderEpochEnd = 16;
