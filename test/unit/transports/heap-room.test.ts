import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionsForHeap } from '../../../src/transports/heap-room.ts';

test('a heap that was made small has room for so many connections', () => {
  assert.equal(connectionsForHeap(['', '--max-old-space-size=96']), 4_096);
  assert.equal(connectionsForHeap(['--max_old_space_size=4096']), 516_096);
  assert.equal(connectionsForHeap(['--no-warnings --max-old-space-size 96 --cpu-prof']), 4_096);
});

test('an option of the command line wins over one of the environment', () => {
  assert.equal(connectionsForHeap(['--max-old-space-size=4096', '--max-old-space-size=96']), 4_096);
});

test('in the smallest heap some are served, and one of which nothing is said is large', () => {
  assert.equal(connectionsForHeap(['--max-old-space-size=16']), 100);
  assert.equal(connectionsForHeap(['--max-semi-space-size=128']), Number.POSITIVE_INFINITY);
  assert.equal(connectionsForHeap([]), Number.POSITIVE_INFINITY);
});
