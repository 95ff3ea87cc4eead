import type { LeaderEpochs, Offsets } from './lanes.ts';
import type { OrderKey } from '../../sequence/order-key.ts';
import { compareOrderKeys } from '../../sequence/order-key.ts';
import type { Position, ResumePoint } from '../../sequence/position.ts';

/**
 * Where a stream stands: (K, R, V) of docs/ordering.md. What has been emitted is a function of K, R and the
 * log. The first position of all, from which everything is still to come, is `beginning`.
 */
export interface StreamPosition {
  /** K: the key of the last event released in order; `null`: none yet, or the stream has no order. */
  readonly key: OrderKey | null;
  /** R: the next offset of each lane that is not ingested. */
  readonly next: Offsets;
  /**
   * V <= R: nothing below it is still to come. It may be lower than it must, at the price of
   * reading more again.
   */
  readonly lowest: Offsets;
  /**
   * By lane the leader epoch under which the record below R was read, or a later one that was known then.
   * @default none is known
   */
  readonly epochs?: LeaderEpochs | undefined;
}

export const beginning: StreamPosition = { key: null, next: [], lowest: [] };

/** The position of a sequencer; its lanes are the partitions. */
export function positionOf({ key, next, lowest }: Position, epochs?: LeaderEpochs): StreamPosition {
  const offsets = offsetsOf(next);
  const held = offsetsOf(lowest);
  // One array for both where nothing is held: so it stays visible at no cost.
  return { key, next: offsets, lowest: areEqual(held, offsets) ? offsets : held, epochs };
}

/** What a sequencer is told to go on from a position of a stream of events. */
export function resumePointOf({ key, next, lowest }: StreamPosition): ResumePoint {
  return { key, next: new Map(next.entries()), lowest: new Map(lowest.entries()) };
}

/**
 * The lane of a dead letter: even where it lies in the topic itself, odd in its dead-letter topic. Its
 * `source` does not say so: what cannot be read in the dead-letter topic is made one here, too.
 */
export function deadLetterLane(partition: number, isOfDeadLetterTopic: boolean): number {
  return partition * 2 + (isOfDeadLetterTopic ? 1 : 0);
}

/** Offsets of both topics, by lane. */
export function deadLetterOffsets(
  ofTopic: ReadonlyMap<number, number>,
  ofDeadLetterTopic: ReadonlyMap<number, number>,
): number[] {
  const lanes = new Map<number, number>();
  for (const [partition, offset] of ofTopic) lanes.set(deadLetterLane(partition, false), offset);
  for (const [partition, offset] of ofDeadLetterTopic) {
    lanes.set(deadLetterLane(partition, true), offset);
  }
  return offsetsOf(lanes);
}

/** Whether an offset has been ingested where a stream has come to `next`. */
export function isBelow(next: Offsets, lane: number, offset: number): boolean {
  return offset < (next[lane] ?? 0);
}

/** Whether all that had been emitted at `other` has been emitted at `position` as well, by K and by R. */
export function hasReached(position: StreamPosition, other: StreamPosition): boolean {
  return compareReached(position.key, other.key) >= 0 && areAtLeast(position.next, other.next);
}

export function isSame(a: StreamPosition, b: StreamPosition): boolean {
  return (
    compareReached(a.key, b.key) === 0 && areEqual(a.next, b.next) && areEqual(a.lowest, b.lowest)
  );
}

/**
 * A position that both can be reached from: the lower K and the lower R. A stream that begins there has all
 * that is still to come at either.
 *
 * @param readFrom where it begins to read, which is then its V: one window of de-duplication before the V of
 *   both. The lower V would not do: of an id's records the one that counts here may have been dropped at both.
 */
export function earlierOf(a: StreamPosition, b: StreamPosition, readFrom: Offsets): StreamPosition {
  return {
    key: compareReached(a.key, b.key) <= 0 ? a.key : b.key,
    next: lowerOf(a.next, b.next),
    lowest: lowerOf(readFrom, lowerOf(a.next, b.next)),
    // Of different ones either may be of a log that is no more.
    epochs: a.epochs?.map((epoch, lane) => (b.epochs?.[lane] === epoch ? epoch : null)),
  };
}

/** Compares two K. Before the first release nothing has been reached. */
export function compareReached(a: OrderKey | null, b: OrderKey | null): number {
  if (a === b) return 0;
  if (a === null) return -1;
  return b === null ? 1 : compareOrderKeys(a, b);
}

/** Whether no lane of `offsets` is below that of `others`. */
export function areAtLeast(offsets: Offsets, others: Offsets): boolean {
  if (offsets === others) return true;
  for (let lane = 0; lane < others.length; lane++) {
    if ((offsets[lane] ?? 0) < (others[lane] ?? 0)) return false;
  }
  return true;
}

/** A copy in which one lane is raised. */
export function withLane(offsets: Offsets, lane: number, offset: number): number[] {
  const raised = offsets.slice();
  // No holes: an array with holes is slow ever after.
  while (raised.length <= lane) raised.push(0);
  raised[lane] = offset;
  return raised;
}

function lowerOf(a: Offsets, b: Offsets): Offsets {
  return a.slice(0, b.length).map((offset, lane) => Math.min(offset, b[lane] ?? 0));
}

function areEqual(a: Offsets, b: Offsets): boolean {
  return areAtLeast(a, b) && areAtLeast(b, a);
}

/** By lane; 0 where there is none. */
export function offsetsOf(map: ReadonlyMap<number, number>): number[] {
  const offsets: number[] = [];
  for (const [lane, offset] of map) {
    while (offsets.length <= lane) offsets.push(0);
    offsets[lane] = offset;
  }
  return offsets;
}

/** Of a stream that has delivered everything below these offsets. */
export function endPosition(next: Offsets): StreamPosition {
  return { key: null, next, lowest: next };
}
