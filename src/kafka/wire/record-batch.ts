import { crc32c } from '@platformatic/wasm-utils';
import type { EpochStart, RawRecord, UnreadableRange } from '../port.ts';
import { decompress } from './decompress.ts';
import { RecordCursor } from './record-cursor.ts';

/*
 * Record batches as they lie in the log (message format 2, since Kafka 0.11).
 * Source: https://kafka.apache.org/documentation/#recordbatch
 *
 *   0 base offset (int64)   8 length of the rest (int32)   12 leader epoch (int32)   16 magic (int8)
 *  17 CRC-32C of all behind it (uint32)   21 attributes (int16)   23 last offset delta (int32)
 *  27 base time (int64)   35 largest time (int64)   43 producer id (int64)   51 its epoch (int16)
 *  53 sequence (int32)   57 number of records (int32)   61 records, compressed or not
 *
 * Formats before it have single messages in the place of batches, of which only offset, length and magic stand in the
 * same places; the offset of a compressed one is that of its last.
 */
const lengthAt = 8;
const leaderEpochAt = 12;
const magicAt = 16;
const crcAt = 17;
const attributesAt = 21;
const lastOffsetDeltaAt = 23;
const baseTimeAt = 27;
const maxTimeAt = 35;
const producerIdAt = 43;
const countAt = 57;
const recordsAt = 61;
/** Base offset and length. */
const prefixBytes = 12;
/** The format that is read. */
const batchMagic = 2;

const codecMask = 0b111;
const logAppendTimeFlag = 1 << 3;
const transactionalFlag = 1 << 4;
const controlFlag = 1 << 5;
/** The type in the key of a control record; the other is a commit. */
const abortMarker = 0;

/** A transaction of this producer that was aborted, and where it begins. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
}

export interface ReadableBatches {
  readonly records: readonly RawRecord[];
  readonly unreadable: readonly UnreadableRange[];
}

/**
 * Where reading goes on behind these batches: behind the last that is whole, whatever is in it.
 * Cheap: looks at the head of each batch only.
 */
export function offsetBehind(batches: Buffer, position: number): number {
  let next = position;
  for (let at = 0; at < batches.length; ) {
    const end = endOfBatch(batches, at);
    if (end === null) break;
    next = Math.max(next, lastOffsetOf(batches, at, position) + 1);
    at = end;
  }
  return next;
}

/**
 * Where batches begin that another leader wrote than those before them. Cheap, too.
 *
 * @param before epoch of the leader that wrote what was read before; `null`: not known
 */
export function epochStarts(batches: Buffer, before: number | null): EpochStart[] {
  const starts: EpochStart[] = [];
  let last = before;
  for (let at = 0; at < batches.length; ) {
    const end = endOfBatch(batches, at);
    if (end === null) break;
    if (isBatch(batches, at)) {
      const epoch = batches.readInt32BE(at + leaderEpochAt);
      if (epoch !== last) starts.push({ from: Number(batches.readBigInt64BE(at)), epoch });
      last = epoch;
    }
    at = end;
  }
  return starts;
}

/**
 * Cuts batches that follow each other into pieces of at most so many bytes, but for a batch that is larger. What is
 * cut off at the end stays with the last of them. Cheap, too.
 */
export function splitBatches(batches: Buffer, maxBytes: number): Buffer[] {
  const pieces: Buffer[] = [];
  let begin = 0;
  for (let at = 0; at < batches.length; ) {
    const end = endOfBatch(batches, at);
    if (end === null) break;
    if (end - begin > maxBytes && at > begin) {
      pieces.push(batches.subarray(begin, at));
      begin = at;
    }
    at = end;
  }
  pieces.push(batches.subarray(begin));
  return pieces;
}

/**
 * The records from `position` on that a reader of committed data may see, and what could not be read.
 *
 * @param transactions of the answer that the batches are from: where it is read in pieces, the same for all of them
 */
export function readBatches(
  batches: Buffer,
  position: number,
  transactions: AbortedTransactions,
): ReadableBatches {
  const records: RawRecord[] = [];
  const unreadable: UnreadableRange[] = [];
  for (let at = 0; at < batches.length; ) {
    const end = endOfBatch(batches, at);
    if (end === null) break;
    const lastOffset = lastOffsetOf(batches, at, position);
    const readBefore = records.length;
    try {
      readBatch(batches.subarray(at, end), lastOffset, position, transactions, records);
    } catch (error) {
      records.length = readBefore;
      const from = Math.max(position, Number(batches.readBigInt64BE(at)));
      if (from <= lastOffset) {
        const reason = error instanceof Error ? error.message : String(error);
        unreadable.push({ from, to: lastOffset + 1, reason });
      }
    }
    at = end;
  }
  return { records, unreadable };
}

/** `null`: cut off, as the last batch of an answer may be. */
function endOfBatch(batches: Buffer, at: number): number | null {
  if (at + magicAt >= batches.length) return null;
  const end = at + prefixBytes + batches.readInt32BE(at + lengthAt);
  const least = isBatch(batches, at) ? recordsAt : magicAt + 1;
  return end < at + least || end > batches.length ? null : end;
}

/** False: a message of a former format. */
function isBatch(batches: Buffer, at: number): boolean {
  return batches.readInt8(at + magicAt) >= batchMagic;
}

/**
 * Never before the first offset, nor before `position` where only the brokers' word for it is left: whatever is damaged,
 * reading must not stand still.
 */
function lastOffsetOf(batches: Buffer, at: number, position: number): number {
  const first = Number(batches.readBigInt64BE(at));
  if (!isBatch(batches, at)) return Math.max(first, position);
  return first + Math.max(0, batches.readInt32BE(at + lastOffsetDeltaAt));
}

/** @throws if the batch is damaged */
function readBatch(
  batch: Buffer,
  lastOffset: number,
  position: number,
  transactions: AbortedTransactions,
  into: RawRecord[],
): void {
  const baseOffset = Number(batch.readBigInt64BE(0));
  const magic = batch.readInt8(magicAt);
  if (magic !== batchMagic) {
    transactions.unknown(baseOffset);
    throw new Error(`message format ${magic} is not supported`);
  }
  if (crc32c(batch.subarray(attributesAt)) !== batch.readUInt32BE(crcAt)) {
    transactions.unknown(baseOffset);
    throw new Error('the checksum does not match');
  }
  const attributes = batch.readInt16BE(attributesAt);
  if (attributes & transactionalFlag) {
    const producerId = Number(batch.readBigInt64BE(producerIdAt));
    if (attributes & controlFlag)
      return transactions.ended(producerId, lastOffset, markerOf(batch));
    if (transactions.isAborted(producerId, lastOffset)) return;
  } else if (attributes & controlFlag) {
    return;
  }
  if (lastOffset < position) return;

  const codec = attributes & codecMask;
  const content = batch.subarray(recordsAt);
  const cursor = new RecordCursor(codec === 0 ? content : decompress(codec, content));
  const baseTimeMs = Number(batch.readBigInt64BE(baseTimeAt));
  const appendedMs =
    attributes & logAppendTimeFlag ? Number(batch.readBigInt64BE(maxTimeAt)) : null;
  for (let left = batch.readInt32BE(countAt); left > 0; left -= 1) {
    const record = cursor.record(baseOffset, baseTimeMs, appendedMs);
    if (record.offset >= position) into.push(record);
  }
}

/** The type of a control batch's only record: its key is a version and a type (int16 each). */
function markerOf(batch: Buffer): number {
  const { key } = new RecordCursor(batch.subarray(recordsAt)).record(0, 0, null);
  return key === null || key.length < 4 ? -1 : key.readInt16BE(2);
}

/**
 * Which producers are in the middle of a transaction that will be aborted.
 * Source: KIP-98, "Exactly Once Delivery and Transactional Messaging", consumer part.
 */
export class AbortedTransactions {
  readonly #ahead: AbortedTransaction[];
  readonly #producers = new Set<number>();
  /** Those of them whose end may have been a batch that could not be read. */
  readonly #doubtful = new Set<number>();

  /** @param aborted of which the broker says that they end in an abort */
  constructor(aborted: readonly AbortedTransaction[]) {
    this.#ahead = aborted.toSorted((a, b) => b.firstOffset - a.firstOffset);
  }

  /**
   * Whether what a producer wrote there is of an aborted transaction. Batches come in the order of their offsets.
   *
   * @throws if that cannot be told
   */
  isAborted(producerId: number, lastOffset: number): boolean {
    this.#advance(lastOffset);
    if (this.#doubtful.has(producerId)) {
      throw new Error('a damaged batch before it may have been the end of an aborted transaction');
    }
    return this.#producers.has(producerId);
  }

  ended(producerId: number, lastOffset: number, marker: number): void {
    // Also when reading began at this marker: its transaction is among those ahead.
    this.#advance(lastOffset);
    const wasDoubtful = this.#doubtful.delete(producerId);
    if (marker === abortMarker || wasDoubtful) this.#producers.delete(producerId);
  }

  /** There is a batch of which nothing is known: it may have ended any of the transactions. */
  unknown(baseOffset: number): void {
    this.#advance(baseOffset);
    for (const producerId of this.#producers) this.#doubtful.add(producerId);
  }

  #advance(lastOffset: number): void {
    for (
      let next = this.#ahead.at(-1);
      next && next.firstOffset <= lastOffset;
      next = this.#ahead.at(-1)
    ) {
      this.#ahead.pop();
      this.#producers.add(next.producerId);
    }
  }
}
