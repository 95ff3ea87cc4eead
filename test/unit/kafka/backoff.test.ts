import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { backoffMs, rest } from '../../../src/kafka/backoff.ts';

test('the wait doubles with each failure up to its bound', () => {
  const longest = [1, 2, 3, 4, 5, 6, 7, 8, 100].map((failures) => backoffMs(failures, {}, () => 1));
  assert.deepEqual(longest, [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
});

test('the wait is between half and all of its ceiling', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (failures, chance) => {
        const ceilingMs = backoffMs(failures, {}, () => 1);
        const ms = backoffMs(failures, {}, () => chance);
        return ms >= ceilingMs / 2 && ms <= ceilingMs;
      },
    ),
  );
});

test('a rest ends at the signal', async () => {
  const ending = new AbortController();
  const resting = rest(60_000, ending.signal);
  ending.abort();
  await resting;
});
