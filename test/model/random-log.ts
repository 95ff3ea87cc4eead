import type { Event } from '../../src/decode/event.ts';
import { sketched } from '../support/events.ts';
import type { Dice } from './dice.ts';

/** Milliseconds since 1970: before the first record. */
export const logStartMs = 1_700_000_000_000;

export interface LogRecord {
  readonly event: Event;
  /** When it was recorded in truth; what it says may be later. */
  readonly atMs: number;
}

export interface Log {
  /** By partition; `null` is an offset without an event. */
  readonly partitions: readonly (readonly (LogRecord | null)[])[];
  readonly endMs: number;
}

/** The records are mostly in time for this, in milliseconds. */
export const latenessMs = 2_000;
/** What the sequencer takes by default. */
export const maxAdvanceMs = 1_000;

/**
 * A log with disorder, copies with other times and numbers, gaps, and times that cannot be believed.
 * @param fromFuture whether some records bear a broker time from the future
 */
export function drawLog(
  dice: Dice,
  { fromFuture = false }: { readonly fromFuture?: boolean } = {},
): Log {
  const partitions: (LogRecord | null)[][] = Array.from({ length: 1 + dice.below(4) }, () => []);
  const ids = 10 + dice.below(120);
  let at = logStartMs;
  let sequence = 0;
  for (let record = 20 + dice.below(180); record > 0; record--) {
    at += dice.below(2) * dice.below(dice.oneIn(20) ? 20_000 : 400);
    const partition = dice.below(partitions.length);
    const own = partitions[partition];
    if (own === undefined) continue;
    if (dice.oneIn(12)) own.push(null);
    const inTime = dice.below(latenessMs) - dice.below(300);
    const behindMs = dice.oneIn(8) ? dice.below(20_000) - 5_000 : inTime;
    sequence += 1 + (dice.oneIn(6) ? dice.below(3) : 0);
    const event = sketched({
      id: dice.oneIn(15) ? null : `${dice.below(ids)}`,
      partition,
      offset: own.length,
      at: fromFuture && dice.oneIn(10) ? at + 2_000 + dice.below(90_000) : at,
      t: dice.oneIn(40) ? dice.below(3) * 4_000_000_000_000 - 5 : at - behindMs,
      sequence: dice.oneIn(15) ? null : Math.max(0, sequence - dice.below(6)),
      json: 'x'.repeat(10),
    });
    own.push({ event, atMs: at });
  }
  return { partitions, endMs: at };
}

/** The end of the partition at a time: behind the last event that was recorded by then. */
export function endOf({ partitions }: Log, partition: number, nowMs: number): number {
  const records = partitions[partition] ?? [];
  let end = records.length;
  while (end > 0) {
    const record = records[end - 1];
    if (record !== null && record !== undefined && record.atMs <= nowMs) return end;
    end--;
  }
  return 0;
}
