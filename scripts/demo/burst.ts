import type { StreamOptions } from './generator.ts';
import { EventStream } from './generator.ts';
import type { DemoEvent, DemoRecord } from './record.ts';

/** What a set of records holds, and so what subscribers must get. */
export interface Manifest {
  /** Every event once, in the order of its own time, which is that of its sequence number too. */
  readonly events: readonly DemoEvent[];
  /** Ids of those that were recorded beyond the lateness. */
  readonly lateIds: readonly string[];
  /** Ids of those that were recorded twice. */
  readonly duplicateIds: readonly string[];
  /** Texts of the records that are no JSON. */
  readonly unparsable: readonly string[];
  readonly deadLetters: readonly { readonly event: string; readonly error: string }[];
}

export interface BurstOptions extends StreamOptions {
  readonly events: number;
}

/** All records of so many events, in the order of their record times, which lie where the options say. */
export function burst(options: BurstOptions): {
  readonly records: readonly DemoRecord[];
  readonly manifest: Manifest;
} {
  const stream = new EventStream(options);
  const records: DemoRecord[] = [];
  while (stream.nextMs < Number.POSITIVE_INFINITY) records.push(stream.next());
  return { records, manifest: manifestOf(records) };
}

export function manifestOf(records: readonly DemoRecord[]): Manifest {
  const events: DemoEvent[] = [];
  const duplicateIds: string[] = [];
  const unparsable: string[] = [];
  const deadLetters: { event: string; error: string }[] = [];
  for (const record of records) {
    if (record.kind === 'unparsable') {
      unparsable.push(record.value);
    } else if (record.kind === 'deadLetter') {
      deadLetters.push({ event: record.event, error: record.error });
    } else if (record.copy === 0) {
      events.push(record.event);
    } else {
      duplicateIds.push(record.event.id);
    }
  }
  events.sort((a, b) => a.timestampUs - b.timestampUs);
  const lateIds = events.filter(({ late }) => late).map(({ id }) => id);
  return { events, lateIds, duplicateIds, unparsable, deadLetters };
}
