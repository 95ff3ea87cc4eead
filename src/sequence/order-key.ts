/**
 * Four 32-bit words that stand for an event's id; see dedup/id-digest.ts. All zero: it has no id.
 * Signed, as an `Int32Array` gives them; compared as unsigned.
 */
export type IdWords = readonly [number, number, number, number];

/**
 * The place of one record in a stream's total order: by `time`, then `value`, `id`, `partition`,
 * `offset`. A pure function of the record and of the order's settings, so every instance orders alike.
 *
 * - `TIMESTAMP`: `time` is the event's own time held within `[r - L, r + A]` of the broker's time r;
 *   `value` is the event's own time as it is. Both in whole microseconds since 1970: where senders
 *   write finer times, events of one microsecond are ordered by id.
 * - `SEQUENCE`: `time` is 0, `value` the sequence number, compared exactly at any size.
 *
 * Ties are broken by the digest of the id and not by its text, because a cursor holds a key and must
 * have a bounded size. The digest depends on the id key, which all instances therefore share.
 */
export interface OrderKey {
  readonly time: number;
  readonly value: number | bigint;
  readonly id: IdWords;
  readonly partition: number;
  readonly offset: number;
}

/** Negative, zero or positive as `a` is before, the same as, or after `b`. */
export function compareOrderKeys(a: OrderKey, b: OrderKey): number {
  if (a.time !== b.time) return a.time < b.time ? -1 : 1;
  // Between a number and a bigint `<` is exact, and `!==` says they differ even when they are equal.
  if (a.value < b.value) return -1;
  if (a.value > b.value) return 1;
  for (let word = 0; word < 4; word++) {
    const x = (a.id[word] ?? 0) >>> 0;
    const y = (b.id[word] ?? 0) >>> 0;
    if (x !== y) return x < y ? -1 : 1;
  }
  if (a.partition !== b.partition) return a.partition < b.partition ? -1 : 1;
  if (a.offset !== b.offset) return a.offset < b.offset ? -1 : 1;
  return 0;
}

/**
 * An event's own time, held within what the broker's time lets one believe: an event dated 2099, 1970
 * or 0 takes a place among its neighbours in the log, and so moves nobody else.
 */
export function clampTimeUs(
  timestampUs: number,
  recordedAtMs: number,
  latenessMs: number,
  maxAdvanceMs: number,
): number {
  const earliestUs = (recordedAtMs - latenessMs) * 1000;
  if (timestampUs < earliestUs) return earliestUs;
  const latestUs = (recordedAtMs + maxAdvanceMs) * 1000;
  return timestampUs > latestUs ? latestUs : timestampUs;
}
