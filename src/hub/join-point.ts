import type { PartitionOffsets } from '../kafka/port.ts';

/**
 * From where on a subscription gets what its feed delivers. A feed that is running may still hold, or
 * have yet to read, what was recorded before the subscription was accepted.
 */
export interface JoinPoint {
  /** What lies at or above these offsets is for the subscription; of other partitions, everything. */
  readonly from: PartitionOffsets;
  /**
   * What lies below is not, if the broker's time is before this, in milliseconds since 1970. Infinity:
   * the offsets were known when the subscription was accepted, so all below was recorded before.
   */
  readonly acceptedAtMs: number;
}

/** Whether a record was there before the subscription was accepted. */
export function precedes(
  { from, acceptedAtMs }: JoinPoint,
  partition: number,
  offset: number,
  recordedAtMs: number,
): boolean {
  return recordedAtMs < acceptedAtMs && offset < (from.get(partition) ?? 0);
}

/**
 * Whether nothing below the join point can come any more, with `lowest` the lowest offsets to come. Of a
 * feed that has begun: before, its join points have no offsets yet.
 */
export function isPassed({ from }: JoinPoint, lowest: PartitionOffsets): boolean {
  for (const [partition, offset] of from) if ((lowest.get(partition) ?? 0) < offset) return false;
  return true;
}
