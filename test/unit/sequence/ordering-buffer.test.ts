import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { OrderKey } from '../../../src/sequence/order-key.ts';
import { compareOrderKeys } from '../../../src/sequence/order-key.ts';
import type { HeldOfPartition, Place } from '../../../src/sequence/ordering-buffer.ts';
import { keyOf, none, OrderingBuffer } from '../../../src/sequence/ordering-buffer.ts';
import { sketched } from '../../support/events.ts';

function place(time: number, value: number | bigint, id: number): Place {
  return { time, value, words: Int32Array.of(id, id * 3, id * 5, id * 7), recordedAtMs: 0 };
}

type Step =
  | { readonly do: 'hold'; readonly time: number; readonly value: number; readonly id: number }
  | { readonly do: 'pop' }
  | { readonly do: 'remove'; readonly pick: number };

test('it does what a sorted list does', () => {
  const steps: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        do: fc.constant('hold' as const),
        time: fc.integer({ min: 0, max: 20 }),
        value: fc.integer({ min: -2, max: 2 }),
        id: fc.integer({ min: -60, max: 60 }),
      }),
    },
    { weight: 2, arbitrary: fc.constant({ do: 'pop' as const }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), pick: fc.nat() }) },
  );
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 300 }), (script) => {
      const buffer = new OrderingBuffer('time');
      const partitions: HeldOfPartition[] = [
        { first: none, last: none },
        { first: none, last: none },
      ];
      const of = (id: number) => partitions[id] ?? { first: none, last: none };
      let held: { key: OrderKey; id: number; slot: number; length: number }[] = [];
      for (const [offset, step] of script.entries()) {
        if (step.do === 'hold') {
          const partition = offset % 2;
          const event = sketched({
            offset,
            at: 0,
            t: step.value / 1000,
            partition,
            json: 'x'.repeat(offset % 7),
          });
          const at = place(step.time, step.value, step.id);
          const key = keyOf(at, event);
          const found = buffer.find(at.words);
          const known = held.find(({ id }) => id === step.id);
          assert.equal(found, known?.slot ?? none);
          if (known === undefined) {
            const slot = buffer.hold(event, at, false, true, of(partition));
            held.push({ key, id: step.id, slot, length: event.json.length });
          } else {
            assert.equal(
              Math.sign(buffer.compare(at, event, found)),
              Math.sign(compareOrderKeys(key, known.key)),
            );
            if (compareOrderKeys(key, known.key) < 0) {
              buffer.replace(found, event, at, false, of(known.key.partition), of(partition));
              known.key = key;
              known.length = event.json.length;
            }
          }
        } else if (held.length > 0) {
          held.sort((a, b) => compareOrderKeys(a.key, b.key));
          const [gone] = held.splice(step.do === 'pop' ? 0 : step.pick % held.length, 1);
          assert.ok(gone !== undefined);
          if (step.do === 'pop') assert.equal(buffer.head, gone.slot);
          buffer.remove(gone.slot, of(gone.key.partition));
        }
        held = held.toSorted((a, b) => compareOrderKeys(a.key, b.key));
        assert.equal(buffer.size, held.length);
        assert.equal(buffer.head, held[0]?.slot ?? none);
        assert.equal(
          buffer.textLength,
          held.reduce((sum, { length }) => sum + length, 0),
        );
        for (const partition of [0, 1]) {
          const offsets = held.filter(({ key }) => key.partition === partition);
          const lowest = Math.min(...offsets.map(({ key }) => key.offset));
          const { first } = of(partition);
          assert.equal(
            first === none ? Number.POSITIVE_INFINITY : buffer.event(first).offset,
            lowest,
          );
        }
      }
    }),
  );
});

test('numbers beyond 2^53 are ordered exactly', () => {
  const buffer = new OrderingBuffer('value');
  const partition: HeldOfPartition = { first: none, last: none };
  const numbers = [2n ** 60n + 3n, 2n ** 60n, 5, 2n ** 60n + 1n, -(2n ** 60n), 2n ** 60n + 2n];
  for (const [offset, value] of numbers.entries()) {
    const event = sketched({ offset, at: 0, sequence: value });
    buffer.hold(event, place(0, value, -offset), false, true, partition);
  }
  const popped: (number | bigint)[] = [];
  while (buffer.size > 0) {
    popped.push(buffer.value(buffer.head));
    buffer.remove(buffer.head, partition);
  }
  assert.deepEqual(
    popped,
    numbers.toSorted((a, b) => (a < b ? -1 : 1)),
  );
});
