import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MillraceError } from '../../../src/core/errors.ts';
import { DecodedEvent } from '../../../src/decode/decoded-event.ts';
import type { Event } from '../../../src/decode/event.ts';
import { NewestEvents } from '../../../src/hub/newest.ts';
import { Where } from '../../../src/hub/where.ts';

interface Given {
  readonly id: string | null;
  readonly timestampUs: number;
  readonly size: number;
}

const anyId = fc.option(fc.constantFrom('a', 'b', 'c', 'd', 'e'));
const shape = {
  timestampUs: fc.integer({ min: 0, max: 20 }),
  size: fc.integer({ min: 7, max: 30 }),
};
const copied = fc.array(fc.record({ ...shape, id: anyId }), { maxLength: 40 });
const unique = fc.array(fc.record({ ...shape, id: fc.constant(null) }), { maxLength: 40 });
const lasts = fc.integer({ min: 1, max: 10 });

function eventOf({ id, timestampUs, size }: Given, index: number): Event {
  return new DecodedEvent({
    kind: 'event',
    id,
    timestampUs,
    timestamp: timestampUs,
    timestampReadable: true,
    sequence: null,
    json: JSON.stringify({ x: size % 3 }).padEnd(size),
    partition: index % 3,
    offset: index,
    recordedAtMs: 0,
  });
}

/** Holds for two sizes out of three. */
const where = Where.of({ filter: [] }, [{ property: 'x', operator: 'GT', value: 0 }]);

/** The same, of everything at once. */
function newestOf(events: readonly Event[], last: number): Event[] {
  const seen = new Set<string>();
  return events
    .filter(({ json }) => json.length % 3 > 0)
    .toSorted(
      (a, b) => b.timestampUs - a.timestampUs || b.partition - a.partition || b.offset - a.offset,
    )
    .filter(({ id }) => id === null || (!seen.has(id) && seen.add(id)))
    .slice(0, last)
    .toReversed();
}

const placesOf = (events: readonly Event[]): number[] => events.map(({ offset }) => offset);

test('what is picked one by one is what would be picked of everything', () => {
  fc.assert(
    fc.property(copied, lasts, (all, last) => {
      const events = all.map(eventOf);
      const newest = new NewestEvents({ last, maxBytes: 10_000 }, where);
      for (const event of events) newest.offer(event);
      assert.deepEqual(placesOf(newest.answer()), placesOf(newestOf(events, last)));
    }),
  );
});

test('an answer is complete, or refused because it has too many bytes', () => {
  fc.assert(
    fc.property(unique, lasts, (all, last) => {
      const events = all.map(eventOf);
      const maxBytes = 60;
      const newest = new NewestEvents({ last, maxBytes }, where);
      for (const event of events) newest.offer(event);
      const expected = newestOf(events, last);
      const bytes = expected.reduce((sum, { json }) => sum + json.length, 0);
      if (bytes <= maxBytes) assert.deepEqual(placesOf(newest.answer()), placesOf(expected));
      else assert.throws(() => newest.answer(), MillraceError);
    }),
  );
});
