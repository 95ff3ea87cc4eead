import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Counts,
  counted,
  perMinute,
  shownSteps,
  stepMs,
} from '../../../../examples/dashboard/app/counts.ts';

const startMs = Date.UTC(2026, 10, 26);

/** So many events in each step from the first on. */
function countsOf(...events: readonly number[]): Counts {
  let counts: Counts = {};
  for (const [step, count] of events.entries()) {
    const at = new Date(startMs + step * stepMs + 500).toISOString();
    for (let each = 0; each < count; each += 1) counts = counted(counts, at);
  }
  return counts;
}

/** What is shown when all is known of so many steps. */
function shown(counts: Counts, steps: number): number[] {
  return perMinute(counts, shownSteps([counts], startMs + steps * stepMs)).count;
}

test('a rate is of a minute, and of what is known of it while that is less', () => {
  // The first step began before the first event may have been recorded.
  assert.deepEqual(shown(countsOf(1, 10), 2), [60]);
  assert.deepEqual(
    shown(countsOf(1, 10, 20, 10, 20, 10, 20, 80), 8),
    [60, 90, 80, 90, 84, 90, 160],
  );
});

test('nothing is shown before there is anything, and of a step that is not over', () => {
  assert.deepEqual(shown({}, 5), []);
  assert.deepEqual(shown(countsOf(3), 1), []);
  assert.deepEqual(shown(countsOf(1, 10, 20), 2.5), [60]);
});

test('half an hour is shown, each of its steps as of a whole minute', () => {
  const counts = countsOf(...Array.from({ length: 300 }, () => 5));
  const rates = shown(counts, 300);
  assert.equal(rates.length, 180);
  assert.ok(rates.every((rate) => rate === 30));
});
