import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { OrderKey } from '../../../src/sequence/order-key.ts';
import { clampTimeUs, compareOrderKeys } from '../../../src/sequence/order-key.ts';

const key: OrderKey = { time: 5, value: 5, id: [0, 0, 0, 0], partition: 0, offset: 0 };

function at(value: number | bigint): OrderKey {
  return { ...key, time: 0, value };
}

/** Lateness 2 s, advance 1 s, recorded at 100 s. */
function clamp(ms: number): number {
  return clampTimeUs(ms * 1000, 100_000, 2_000, 1_000) / 1000;
}

test('the key goes by time, value, id, partition and offset, in this order', () => {
  const ascending: OrderKey[] = [
    { ...key, time: 4, value: 9 },
    key,
    { ...key, offset: 1 },
    { ...key, partition: 1, offset: 0 },
    { ...key, id: [0, 0, 0, 1] },
    { ...key, id: [1, 0, 0, 0] },
    { ...key, id: [-1, 0, 0, 0] },
    { ...key, value: 6 },
    { ...key, time: 6, value: 1 },
  ];
  for (const [i, a] of ascending.entries()) {
    for (const [j, b] of ascending.entries()) {
      assert.equal(Math.sign(compareOrderKeys(a, b)), Math.sign(i - j), `${i} against ${j}`);
    }
  }
});

test('sequence numbers are compared exactly, whether numbers or bigints', () => {
  assert.ok(compareOrderKeys(at(2n ** 63n), at(2n ** 63n + 1n)) < 0);
  assert.ok(compareOrderKeys(at(Number.MAX_SAFE_INTEGER), at(2n ** 53n)) < 0);
  assert.ok(compareOrderKeys(at(2n ** 60n), at(7)) > 0);
  assert.equal(compareOrderKeys(at(7n), at(7)), 0);
});

test('comparing is antisymmetric and transitive', () => {
  const small = fc.integer({ min: -2, max: 2 });
  const keys = fc.record({
    time: small,
    value: fc.oneof(small, fc.bigInt({ min: -2n, max: 2n })),
    id: fc.tuple(small, small, small, small),
    partition: small,
    offset: small,
  });
  fc.assert(
    fc.property(keys, keys, keys, (a, b, c) => {
      assert.equal(Math.sign(compareOrderKeys(a, b)) + Math.sign(compareOrderKeys(b, a)), 0);
      if (compareOrderKeys(a, b) <= 0 && compareOrderKeys(b, c) <= 0) {
        assert.ok(compareOrderKeys(a, c) <= 0);
      }
    }),
  );
});

test('an own time is held within lateness behind and advance ahead of the broker time', () => {
  assert.equal(clamp(100_000), 100_000);
  assert.equal(clamp(98_000), 98_000);
  assert.equal(clamp(97_999), 98_000);
  assert.equal(clamp(0), 98_000);
  assert.equal(clamp(-5), 98_000);
  assert.equal(clamp(101_000), 101_000);
  assert.equal(clamp(4_000_000_000_000), 101_000);
});
