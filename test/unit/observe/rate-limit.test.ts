import assert from 'node:assert/strict';
import { test } from 'node:test';
import { perMinute } from '../../../src/observe/rate-limit.ts';

test('what is beyond the most calls of a minute is left out', () => {
  let nowMs = 5;
  const heard: number[] = [];
  const tell = perMinute({ now: () => nowMs }, 2, (call: number) => heard.push(call));
  for (const call of [1, 2, 3]) tell(call);
  assert.deepEqual(heard, [1, 2]);
  nowMs += 59_999;
  tell(4);
  nowMs += 1;
  for (const call of [5, 6, 7]) tell(call);
  assert.deepEqual(heard, [1, 2, 5, 6]);
  nowMs = 0;
  tell(8);
  assert.deepEqual(heard, [1, 2, 5, 6, 8]);
});
