import type { AbortedTransaction } from './record-batch.ts';
import type { WireReader } from './wire-reader.ts';

/** What a broker answers to a fetch. One topic only is asked about. */
export interface FetchAnswer {
  /** How long the broker keeps the connection waiting for having asked for too much. */
  readonly throttledMs: number;
  /** Of the whole answer; 0: none. */
  readonly errorCode: number;
  readonly partitions: readonly FetchedPartition[];
}

export interface FetchedPartition {
  readonly partition: number;
  /** 0: none. */
  readonly errorCode: number;
  /** End of what may be read: aborted and unended transactions are not read. */
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  /** Where the leader's log departs from the one that was read (KIP-595); `null`: it does not. */
  readonly divergesFrom: number | null;
  readonly aborted: readonly AbortedTransaction[];
  /** Batches as they lie in the log; the last may be cut off. A slice of the answer. */
  readonly batches: Buffer;
}

/** Of an answer: versions from 12 on are compact, from 13 on topics go by their ids. */
export interface FetchShape {
  readonly compact: boolean;
  readonly named: boolean;
}

const divergingEpochTag = 0;

/**
 * The answer to a fetch of version 11 to 17, behind its header. The libraries' own decoding would not
 * do: see `docs/adr/0003-answers-are-decoded-here.md`.
 *
 * @throws {RangeError} if it ends early
 */
export function decodeFetchAnswer(body: WireReader, { compact, named }: FetchShape): FetchAnswer {
  const array = <T>(read: () => T) => (compact ? body.compactArray(read) : body.array(read));
  const endOfStruct = () => {
    if (compact) body.tags();
  };

  const throttledMs = body.int32();
  const errorCode = body.int16();
  body.int32(); // session
  const topics = array(() => {
    if (!named) body.bytes(16);
    else if (compact) body.compactString();
    else body.string();
    const partitions = array(partition);
    endOfStruct();
    return partitions;
  });
  endOfStruct();
  return { throttledMs, errorCode, partitions: topics.flat() };

  function partition(): FetchedPartition {
    const id = body.int32();
    const code = body.int16();
    const highWatermark = body.int64();
    const lastStableOffset = body.int64();
    const logStartOffset = body.int64();
    const aborted = array(() => {
      const transaction = { producerId: body.int64(), firstOffset: body.int64() };
      endOfStruct();
      return transaction;
    });
    body.int32(); // a replica that would be nearer
    const batches = compact ? body.compactBytes() : body.bytes(Math.max(0, body.int32()));
    let divergesFrom: number | null = null;
    if (compact) {
      body.tags((tag, field) => {
        if (tag !== divergingEpochTag) return;
        field.int32(); // epoch
        divergesFrom = field.int64();
      });
    }
    return {
      partition: id,
      errorCode: code,
      lastStableOffset: lastStableOffset < 0 ? highWatermark : lastStableOffset,
      logStartOffset,
      divergesFrom,
      aborted,
      batches,
    };
  }
}
