import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { backoffDefaults, backoffMs } from '../../../src/client/backoff.ts';

const bounds = fc
  .record({
    firstMs: fc.integer({ min: 1, max: 10_000 }),
    factor: fc.integer({ min: 1, max: 1_000 }),
  })
  .map(({ firstMs, factor }) => ({ firstMs, mostMs: firstMs * factor, stableMs: 0 }));
const failures = fc.integer({ min: 1, max: 5_000 });
const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('a wait is within its bounds, whatever happened', () => {
  fc.assert(
    fc.property(bounds, failures, unit, (within, failures, random) => {
      const waitMs = backoffMs(failures, within, random);
      assert.ok(waitMs >= 0 && waitMs <= within.mostMs);
      if (failures === 1) assert.ok(waitMs <= within.firstMs);
    }),
  );
});

test('the longest wait doubles until it is the longest of all, and never shrinks', () => {
  fc.assert(
    fc.property(bounds, failures, (within, failures) => {
      const longest = backoffMs(failures, within, 1);
      const next = backoffMs(failures + 1, within, 1);
      assert.equal(next, Math.min(within.mostMs, longest * 2));
    }),
  );
});

test('jitter is full: those who lost a server together come back spread over all of the wait', () => {
  fc.assert(
    fc.property(failures, unit, (failures, random) => {
      const longest = backoffMs(failures, backoffDefaults, 1);
      assert.equal(backoffMs(failures, backoffDefaults, random), random * longest);
    }),
  );
});
