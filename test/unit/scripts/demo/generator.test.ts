import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { burst } from '../../../../scripts/demo/burst.ts';
import type { BurstOptions } from '../../../../scripts/demo/burst.ts';
import { collections, purchases } from '../../../../scripts/demo/collections.ts';
import type { Disorder } from '../../../../scripts/demo/generator.ts';
import { EventStream } from '../../../../scripts/demo/generator.ts';
import type { DemoRecord } from '../../../../scripts/demo/record.ts';
import { parseTimestamp } from '../../../../src/decode/timestamp.ts';

const startMs = Date.UTC(2026, 0, 31, 23, 59, 50);

function optionsWith(given: Partial<BurstOptions> = {}): BurstOptions {
  return {
    collection: purchases,
    topic: 'acme.purchases',
    deadLetterTopic: 'acme.purchases-dlq',
    seed: 7,
    startMs,
    eventsPerSecond: 500,
    events: 20_000,
    ...given,
  };
}

function firstCopies(records: readonly DemoRecord[]) {
  return records.filter((record) => record.kind === 'event').filter(({ copy }) => copy === 0);
}

function share(part: number, whole: number): number {
  return part / whole;
}

function assertNear(actual: number, expected: number, tolerance: number): void {
  assert.ok(Math.abs(actual - expected) <= tolerance, `${actual} is not near ${expected}`);
}

test('the same seed makes the same records, another seed others', () => {
  const options = optionsWith({ events: 500 });
  assert.deepEqual(burst(options), burst(options));
  const ids = (seed: number) =>
    new Set(burst({ ...options, seed }).manifest.events.map(({ id }) => id));
  assert.equal(ids(7).intersection(ids(8)).size, 0);
});

test('two topics of one seed have nothing in common', () => {
  const [acme, globex] = ['acme.purchases', 'globex.purchases'].map(
    (topic) =>
      new Set(burst(optionsWith({ topic, events: 500 })).manifest.events.map(({ id }) => id)),
  );
  assert.ok(acme && globex && acme.size === 500 && acme.isDisjointFrom(globex));
});

test('the shares are as asked', () => {
  const disorder: Disorder = {
    delayedShare: 0.3,
    lateShare: 0.01,
    duplicateShare: 0.08,
    deadLetterShare: 0.04,
    unparsableShare: 0.02,
  };
  const { events, lateIds, duplicateIds, deadLetters, unparsable } = burst(
    optionsWith({ disorder }),
  ).manifest;
  assert.equal(events.length, 20_000);
  // Five standard deviations of a binomial distribution over 20,000 events, at the widest.
  const near = (count: number, expected: number) =>
    assertNear(share(count, events.length), expected, 0.017);
  near(events.filter(({ delayed }) => delayed).length, 0.3);
  near(duplicateIds.length, 0.08);
  near(deadLetters.length, 0.04);
  near(unparsable.length, 0.02);
  assertNear(share(lateIds.length, events.length), 0.01, 0.0035);
});

test('by default a fifth of the events is out of order and one in twenty is a duplicate', () => {
  const { records, manifest } = burst(optionsWith());
  let latestUs = 0;
  let overtaken = 0;
  for (const { event } of firstCopies(records)) {
    if (event.timestampUs < latestUs) overtaken += 1;
    latestUs = Math.max(latestUs, event.timestampUs);
  }
  assertNear(share(overtaken, manifest.events.length), 0.2, 0.02);
  assertNear(share(manifest.duplicateIds.length, manifest.events.length), 0.05, 0.01);
});

test('without disorder the records hold the events in their order, and nothing else', () => {
  const none = {
    delayedShare: 0,
    lateShare: 0,
    duplicateShare: 0,
    deadLetterShare: 0,
    unparsableShare: 0,
  };
  const { records, manifest } = burst(optionsWith({ events: 1_000, disorder: none }));
  const recorded = records.map((record) => (record.kind === 'event' ? record.event : null));
  assert.deepEqual(recorded, manifest.events);
});

test('record times rise; partitions of both topics are taken in turns', () => {
  const { records } = burst(optionsWith({ partitions: 4, disorder: { deadLetterShare: 0.2 } }));
  const turns = new Map<string, number>();
  let latestMs = 0;
  for (const { topic, partition, timestampMs } of records) {
    assert.ok(timestampMs >= latestMs);
    latestMs = timestampMs;
    const turn = turns.get(topic) ?? 0;
    assert.equal(partition, turn % 4);
    turns.set(topic, turn + 1);
  }
  assert.deepEqual([...turns.keys()].toSorted(), ['acme.purchases', 'acme.purchases-dlq']);
});

test('only the late events are recorded beyond the lateness', () => {
  const { records } = burst(optionsWith({ disorder: { lateShare: 0.05 } }));
  for (const { event, timestampMs } of firstCopies(records)) {
    const delayMs = timestampMs - event.timestampUs / 1_000;
    if (event.late) assert.ok(delayMs >= 2_500, `late by only ${delayMs} ms`);
    else assert.ok(delayMs >= 0 && delayMs <= 1_501, `delayed by ${delayMs} ms`);
  }
});

test('the manifest agrees with what the texts say', () => {
  for (const collection of collections) {
    const { records, manifest } = burst(optionsWith({ collection, events: 2_000 }));
    const byId = new Map(manifest.events.map((event) => [event.id, event]));
    assert.equal(byId.size, manifest.events.length, 'ids are unique');
    assert.deepEqual(
      manifest.events.map(({ sequence }) => sequence),
      Array.from({ length: 2_000 }, (_, index) => index + 1),
    );
    for (const record of records) {
      if (record.kind === 'unparsable') {
        assert.throws(() => JSON.parse(record.value), SyntaxError);
        continue;
      }
      const read = JSON.parse(record.value);
      if (record.kind === 'deadLetter') {
        assert.deepEqual(read, { event: record.event, error: record.error });
        continue;
      }
      assert.match(read.keen.id, /^[0-9a-f]{24}$/);
      const event = byId.get(read.keen.id);
      assert.equal(event, record.event);
      assert.equal(read.sequence_number, event?.sequence);
      if (record.copy > 0) continue;
      assert.equal(read.keen.timestamp, event?.timestamp);
      assert.equal(parseTimestamp(read.keen.timestamp), event?.timestampUs);
    }
  }
});

test('times of events differ, and have three or six fractional digits', () => {
  const { events } = burst(optionsWith({ eventsPerSecond: 20, events: 2_000 })).manifest;
  assert.equal(new Set(events.map(({ timestampUs }) => timestampUs)).size, 2_000);
  const digits = new Set(events.map(({ timestamp }) => /\.(\d+)Z$/.exec(timestamp)?.[1]?.length));
  assert.deepEqual(digits, new Set([3, 6]));
});

test('of two copies the first recorded one is never the later one, and few are re-timed', () => {
  const { records, manifest } = burst(
    optionsWith({ disorder: { duplicateShare: 0.5, lateShare: 0.05 } }),
  );
  const recordedMs = new Map<string, number>();
  let retimed = 0;
  for (const record of records) {
    if (record.kind !== 'event') continue;
    const { id, timestampUs } = record.event;
    if (record.copy === 0) {
      assert.ok(!recordedMs.has(id));
      recordedMs.set(id, record.timestampMs);
      continue;
    }
    assert.ok(record.timestampMs >= (recordedMs.get(id) ?? Number.POSITIVE_INFINITY));
    const copyUs = parseTimestamp(JSON.parse(record.value).keen.timestamp) ?? 0;
    assert.ok(copyUs >= timestampUs && copyUs <= record.timestampMs * 1_000);
    if (copyUs > timestampUs) retimed += 1;
  }
  assertNear(share(retimed, manifest.duplicateIds.length), 0.1, 0.03);
});

test('any rate keeps numbers, times and record times in step', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.double({ min: 0.1, max: 100_000, noNaN: true }),
      fc.nat(300),
      (seed, eventsPerSecond, events) => {
        const { records, manifest } = burst(optionsWith({ seed, eventsPerSecond, events }));
        assert.equal(manifest.events.length, events);
        let lastUs = 0;
        for (const { timestampUs } of manifest.events) {
          assert.ok(timestampUs > lastUs);
          lastUs = timestampUs;
        }
        for (const { event, timestampMs } of firstCopies(records)) {
          assert.ok(timestampMs * 1_000 >= event.timestampUs);
        }
      },
    ),
    { numRuns: 50 },
  );
});

test('the rate holds over time', () => {
  for (const eventsPerSecond of [0.5, 20, 10_000]) {
    const { events } = burst(optionsWith({ eventsPerSecond, events: 4_000 })).manifest;
    const lastUs = events.at(-1)?.timestampUs ?? 0;
    assertNear(4_000 / (lastUs / 1e6 - startMs / 1e3) / eventsPerSecond, 1, 0.05);
  }
});

test('a stream that is skipped ahead numbers on', () => {
  const stream = new EventStream({ ...optionsWith(), events: Number.POSITIVE_INFINITY });
  for (let taken = 0; taken < 100; taken++) stream.next();
  stream.skipTo(startMs + 3_600_000);
  assert.ok(stream.nextMs >= startMs + 3_600_000);
  const before = burst(optionsWith({ events: 2_000 })).manifest.events;
  const record = stream.next();
  assert.ok(record.kind === 'event' && record.event.sequence > 90);
  assert.ok(
    !before.slice(0, 90).some(({ id }) => record.kind === 'event' && id === record.event.id),
  );
});

test('a finite stream ends with an error', () => {
  const stream = new EventStream(optionsWith({ events: 0 }));
  assert.equal(stream.nextMs, Number.POSITIVE_INFINITY);
  assert.throws(() => stream.next(), RangeError);
});
