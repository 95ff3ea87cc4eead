import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Event } from '../../../src/decode/event.ts';
import { none, type Place } from '../../../src/sequence/held-events.ts';
import type { OrderKey } from '../../../src/sequence/order-key.ts';
import { compareOrderKeys } from '../../../src/sequence/order-key.ts';
import { keyOf, OrderingBuffer } from '../../../src/sequence/ordering-buffer.ts';
import { sketched } from '../../support/events.ts';

function place(rank: number, id: number): Place {
  return { rank, words: Int32Array.of(id, id * 3, id * 5, id * 7), recordedAtMs: 0 };
}

type Step =
  | { readonly do: 'hold'; readonly time: number; readonly value: number; readonly id: number }
  | { readonly do: 'pop' }
  | { readonly do: 'remove'; readonly pick: number };

interface Held {
  readonly key: OrderKey;
  readonly id: number;
  readonly slot: number;
  readonly event: Event;
}

function steps(latestTime: number): fc.Arbitrary<Step[]> {
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('hold' as const),
        time: fc.integer({ min: -latestTime, max: latestTime }),
        value: fc.integer({ min: -2, max: 2 }),
        id: fc.integer({ min: -60, max: 60 }),
      }),
    },
    { weight: 2, arbitrary: fc.constant({ do: 'pop' as const }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), pick: fc.nat() }) },
  );
  return fc.array(step, { maxLength: 300 });
}

// Few long buckets and many short ones; many that are alike and few.
for (const { latestTime, width } of [
  { latestTime: 10, width: 4 },
  { latestTime: 10, width: 1_000 },
  { latestTime: 5_000, width: 7 },
  { latestTime: 5_000, width: 900 },
]) {
  test(`times up to ${latestTime} in buckets of ${width}: it does what a sorted list does`, () => {
    fc.assert(fc.property(steps(latestTime), (script) => doesWhatASortedListDoes(script, width)));
  });
}

function doesWhatASortedListDoes(script: readonly Step[], width: number): void {
  const buffer = new OrderingBuffer('time', width);
  let expected: Held[] = [];
  for (const [offset, step] of script.entries()) {
    if (step.do === 'hold') {
      const event = sketched({
        offset,
        at: 0,
        t: step.value / 1000,
        partition: offset % 2,
        json: 'x'.repeat(offset % 7),
      });
      const at = place(step.time, step.id);
      const key = keyOf('time', at.rank, at.words, event);
      const known = expected.find(({ id }) => id === step.id);
      assert.equal(buffer.held.find(at.words), known?.slot ?? none);
      if (known !== undefined) {
        assert.deepEqual(buffer.key(known.slot), known.key);
        buffer.remove(known.slot);
        expected = expected.filter((other) => other !== known);
      }
      const slot = buffer.hold(event, at, offset % 3 === 0, true);
      expected.push({ key, id: step.id, slot, event });
    } else if (expected.length > 0) {
      const [gone] = expected.splice(step.do === 'pop' ? 0 : step.pick % expected.length, 1);
      assert.ok(gone !== undefined);
      if (step.do === 'pop') {
        assert.equal(buffer.head, gone.slot);
        assert.equal(buffer.headBelow(gone.key.time), none);
        assert.equal(buffer.headBelow(gone.key.time + 1), gone.slot);
        buffer.removeHead();
      } else {
        buffer.remove(gone.slot);
      }
    }
    expected.sort((a, b) => compareOrderKeys(a.key, b.key));
    assert.equal(buffer.held.size, expected.length);
    // Not after each step: a bucket that has been looked into is sorted.
    if (offset % 5 === 0) assert.equal(buffer.head, expected[0]?.slot ?? none);
    assert.equal(
      buffer.held.textLength,
      expected.reduce((sum, { event }) => sum + event.json.length, 0),
    );
    for (const { slot, event, key } of expected) {
      assert.equal(buffer.held.event(slot), event);
      assert.equal(buffer.held.late(slot), event.offset % 3 === 0);
      assert.equal(buffer.held.rank(slot), key.time);
    }
    for (const partition of [0, 1]) {
      const offsets = expected
        .map(({ key }) => key)
        .filter((key) => key.partition === partition)
        .map((key) => key.offset)
        .toSorted((a, b) => a - b);
      const listed: number[] = [];
      for (let slot = buffer.held.first(partition); slot !== none; slot = buffer.held.after(slot)) {
        listed.push(buffer.held.event(slot).offset);
      }
      assert.deepEqual(listed, offsets);
    }
  }
}

test('thousands of one time are ordered by the rest of their keys', () => {
  const buffer = new OrderingBuffer('time', 1_000);
  const keys: OrderKey[] = [];
  for (let offset = 0; offset < 5_000; offset++) {
    const event = sketched({ offset, at: 0, t: 5 });
    const at = place(offset % 100 === 0 ? offset : 77, Math.imul(offset, 0x9e3779b1));
    keys.push(keyOf('time', at.rank, at.words, event));
    buffer.hold(event, at, false, true);
  }
  const popped: OrderKey[] = [];
  for (let head = buffer.head; head !== none; head = buffer.head) {
    popped.push(buffer.key(head));
    buffer.removeHead();
  }
  assert.deepEqual(popped, keys.toSorted(compareOrderKeys));
});

test('numbers beyond 2^53 are ordered exactly', () => {
  const buffer = new OrderingBuffer('value', 64);
  const numbers = [2n ** 60n + 3n, 2n ** 60n, 5, 2n ** 60n + 1n, -(10n ** 99n), 2n ** 60n + 2n];
  for (let offset = 0; offset < 40; offset++) numbers.push(10n ** 99n - BigInt(offset));
  for (const [offset, value] of numbers.entries()) {
    const event = sketched({ offset, at: 0, sequence: value });
    buffer.hold(event, place(Number(value), -offset), false, true);
  }
  const popped: (number | bigint | null)[] = [];
  for (let head = buffer.head; head !== none; head = buffer.head) {
    popped.push(buffer.held.event(head).sequence);
    buffer.removeHead();
  }
  assert.deepEqual(
    popped,
    numbers.toSorted((a, b) => (a < b ? -1 : 1)),
  );
});
