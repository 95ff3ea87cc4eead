import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Partition } from '../../../../src/kafka/reader/partition.ts';

const now = 1_000_000;

test('it is asked for less and less often while it is refused, and at once after an answer', () => {
  const partition = new Partition(0, 0);
  partition.ledBy(1);
  assert.equal(partition.waitMs(now), 0);
  const waits = Array.from({ length: 10 }, () => {
    partition.refused(now);
    return partition.waitMs(now);
  });
  for (const [index, waitMs] of waits.entries()) {
    const mostMs = Math.min(5_000, 100 * 2 ** index);
    assert.ok(waitMs >= mostMs / 2 && waitMs <= mostMs, `${waitMs} ms after ${index + 1}`);
  }
  partition.answered();
  assert.equal(partition.waitMs(now), 0);
});

test('another leader is asked at once, the same one not sooner for having been out of sight', () => {
  const partition = new Partition(0, 0);
  partition.ledBy(1);
  partition.refused(now);
  partition.ledBy(null);
  partition.ledBy(1);
  assert.ok(partition.waitMs(now) > 0);
  partition.ledBy(2);
  assert.equal(partition.waitMs(now), 0);
});
