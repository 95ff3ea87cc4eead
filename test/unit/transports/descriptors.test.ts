import assert from 'node:assert/strict';
import { test } from 'node:test';
import { roomFor } from '../../../src/transports/descriptors.ts';

test('connections leave descriptors for Kafka, for files, and for those who are refused', () => {
  for (const descriptors of [128, 256, 1_024, 4_096, 1_048_576]) {
    const { connections, refused } = roomFor(Number.MAX_SAFE_INTEGER, descriptors);
    assert.ok(connections > 0 && refused > 0, String(descriptors));
    assert.ok(connections + refused <= descriptors - 64, String(descriptors));
    assert.ok(connections >= descriptors / 4, String(descriptors));
  }
});

test('no more than are wanted', () => {
  assert.deepEqual(roomFor(20_000, 1_048_576), { connections: 20_000, refused: 100 });
  assert.deepEqual(roomFor(20_000, Number.POSITIVE_INFINITY), {
    connections: 20_000,
    refused: 100,
  });
  assert.equal(roomFor(5, 256).connections, 5);
});

test('this system tells how many there may be', () => {
  const { connections } = roomFor(1);
  assert.equal(connections, 1);
});
