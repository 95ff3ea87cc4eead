import assert from 'node:assert/strict';
import { test } from 'node:test';
import { privateApi } from '../../../../src/kafka/kafkajs/private-api.ts';
import { stopIdleTimers } from '../../../../src/kafka/kafkajs/timer-patch.ts';

test('a request queue sets a timer only while something is pending', (t) => {
  stopIdleTimers();
  stopIdleTimers();
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const { prototype } = privateApi().RequestQueue;
  const checks = t.mock.fn();
  const queue = Object.assign(Object.create(prototype), {
    pending: [] as unknown[],
    throttledUntil: -1,
    throttleCheckTimeoutId: null,
    checkPendingRequests: checks,
  });
  queue.scheduleCheckPendingRequests();
  t.mock.timers.tick(1_000);
  assert.equal(checks.mock.callCount(), 0);
  queue.pending.push({});
  queue.scheduleCheckPendingRequests();
  t.mock.timers.tick(1_000);
  assert.equal(checks.mock.callCount(), 1);
});
