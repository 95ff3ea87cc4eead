import { type ByteReader, MalformedBytesError } from './byte-reader.ts';
import { bitWidth, type ByteWriter } from './byte-writer.ts';
import type { LeaderEpochs, Offsets } from './lanes.ts';

/**
 * The most lanes of a cursor: partitions of a topic, or twice those of a topic and its dead letters. A
 * topic with more has no cursors.
 */
export const maxLanes = 4_096;

/** What of a position has a value for each lane. */
export interface Lanes {
  /** R. */
  readonly next: Offsets;
  /** V. */
  readonly lowest: Offsets;
  readonly epochs: LeaderEpochs;
}

/**
 * R, how far V is below it, and the epochs: each as numbers of one width in bits, that of the largest.
 * Varints would take a tenth more: offsets of one topic are mostly of one size.
 *
 * @throws {RangeError} when there are more lanes than `maxLanes`
 */
export function writeLanes(writer: ByteWriter, { next, lowest, epochs }: Lanes): void {
  const count = next.length;
  if (count > maxLanes) throw new RangeError(`${count} partitions are too many for a cursor`);
  let greatest = 0;
  let deepest = 0;
  let oldest = Number.POSITIVE_INFINITY;
  let newest = 0;
  for (let lane = 0; lane < count; lane++) {
    const offset = next[lane] ?? 0;
    greatest = Math.max(greatest, offset);
    deepest = Math.max(deepest, offset - (lowest[lane] ?? 0));
    const epoch = epochs[lane] ?? null;
    if (epoch === null) continue;
    oldest = Math.min(oldest, epoch);
    newest = Math.max(newest, epoch);
  }
  const base = oldest === Number.POSITIVE_INFINITY ? 0 : oldest + 1;
  const nextWidth = bitWidth(greatest);
  const lowestWidth = bitWidth(deepest);
  // Relative to the oldest: 0 is not known, 1 the oldest.
  const epochWidth = base === 0 ? 0 : bitWidth(newest - oldest + 1);
  writer.varint(count);
  writer.byte(nextWidth);
  writer.byte(lowestWidth);
  writer.varint(base);
  if (base > 0) writer.byte(epochWidth);
  for (let lane = 0; lane < count; lane++) writer.bits(next[lane] ?? 0, nextWidth);
  for (let lane = 0; lane < count; lane++) {
    writer.bits((next[lane] ?? 0) - (lowest[lane] ?? 0), lowestWidth);
  }
  for (let lane = 0; lane < count; lane++) {
    const epoch = epochs[lane] ?? null;
    writer.bits(epoch === null ? 0 : epoch - base + 2, epochWidth);
  }
  writer.endBits();
}

export function readLanes(reader: ByteReader): Lanes {
  const count = reader.varint();
  // Lanes of no width take no bytes: the length of the cursor alone does not bound them.
  if (count > maxLanes) throw new MalformedBytesError('too many lanes');
  const nextWidth = reader.byte();
  const lowestWidth = reader.byte();
  const base = reader.varint();
  const epochWidth = base > 0 ? reader.byte() : 0;
  const lanes = Array.from({ length: count }, (_, lane) => lane);
  const next = lanes.map(() => reader.bits(nextWidth));
  const lowest = next.map((offset) => offset - reader.bits(lowestWidth));
  if (lowest.some((offset) => offset < 0)) throw new MalformedBytesError('a negative offset');
  const epochs = lanes.map(() => {
    const epoch = reader.bits(epochWidth);
    return epoch === 0 ? null : base + epoch - 2;
  });
  reader.endBits();
  return { next, lowest, epochs };
}
