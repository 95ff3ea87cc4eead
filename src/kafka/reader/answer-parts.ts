import type { EpochStart } from '../port.ts';
import type { FetchedPartition } from '../wire/fetch-answer.ts';
import { type AbortedTransactions, offsetBehind, splitBatches } from '../wire/record-batch.ts';

/** An answer about one partition, or a piece of it, that has been taken note of but not handed over. */
export interface Taken {
  readonly from: number;
  readonly nextOffset: number;
  readonly epochs: readonly EpochStart[];
  readonly fetched: FetchedPartition;
  /** The same for all pieces, which are read in order. */
  readonly transactions: AbortedTransactions;
  /** Something of the partition is still to be handed over after it. */
  readonly hasMore: boolean;
}

/**
 * Most bytes, as they lie in the log, that are handed over in one turn of the event loop, but for a larger batch of
 * the log: to decode and send them takes about a millisecond.
 */
export const maxPartBytes = 65_536;

/**
 * Divides an answer into parts, to be handed over in order. As a rule it is small, and one part. Partitions in which
 * there is nothing new come last.
 *
 * @param isSmallest each piece by itself, however small
 */
export function partsOf(
  taken: readonly Taken[],
  isSmallest: boolean,
): readonly (readonly Taken[])[] {
  if (taken.length === 0) return [];
  if (!isSmallest && bytesOf(taken) <= maxPartBytes) return [taken];
  const full = taken.filter(({ from, nextOffset }) => nextOffset > from);
  const empty = taken.filter(({ from, nextOffset }) => nextOffset <= from);
  const parts: Taken[][] = [];
  for (const piece of full.flatMap(piecesOf)) {
    const last = parts.at(-1);
    // Two pieces of the same partition are never small enough: they would be one.
    const isTogether =
      !isSmallest && last !== undefined && bytesOf([...last, piece]) <= maxPartBytes;
    if (isTogether) last.push(piece);
    else parts.push([piece]);
  }
  const last = parts.pop() ?? [];
  return [...parts, [...last, ...empty]];
}

function piecesOf(one: Taken): Taken[] {
  const { fetched, epochs } = one;
  const pieces = splitBatches(fetched.batches, maxPartBytes);
  if (pieces.length === 1) return [one];
  const { transactions } = one;
  const taken: Taken[] = [];
  let from = one.from;
  let epochsTold = 0;
  for (const [index, batches] of pieces.entries()) {
    const hasMore = index < pieces.length - 1;
    const nextOffset = hasMore ? offsetBehind(batches, from) : one.nextOffset;
    const begun = epochs.slice(epochsTold).filter((epoch) => epoch.from < nextOffset);
    epochsTold += begun.length;
    const piece = Object.assign({}, fetched, { batches });
    taken.push({ from, nextOffset, epochs: begun, fetched: piece, transactions, hasMore });
    from = nextOffset;
  }
  return taken;
}

function bytesOf(taken: readonly Taken[]): number {
  let bytes = 0;
  for (const { fetched } of taken) bytes += fetched.batches.length;
  return bytes;
}
