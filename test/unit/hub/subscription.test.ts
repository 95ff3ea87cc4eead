import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Subscription } from '../../../src/hub/subscription.ts';

function open(maxQueuedBytes = 100) {
  const calls: string[] = [];
  const subscription = new Subscription<string>({
    maxQueuedBytes,
    onEnd: () => calls.push('end'),
    onDrained: () => calls.push('drained'),
  });
  return { subscription, calls };
}

test('what gathered between two pulls comes as one batch', async () => {
  const { subscription } = open();
  subscription.offer('a', 1);
  subscription.offer('b', 1);
  assert.deepEqual(await subscription.next(), { done: false, value: ['a', 'b'] });
});

test('a pending pull takes all of the turn that answers it', async () => {
  const { subscription, calls } = open();
  const pull = subscription.next();
  subscription.offer('a', 1);
  subscription.offer('b', 1);
  assert.deepEqual((await pull).value, ['a', 'b']);
  assert.deepEqual(calls, ['drained']);
});

test('return() settles a pending next() and tells the feed once', async () => {
  const { subscription, calls } = open();
  const pull = subscription.next();
  await subscription.return();
  await subscription.return();
  assert.deepEqual(await pull, { done: true, value: undefined });
  assert.deepEqual(calls, ['end']);
});

test('the feed ends it after what is queued, with its error', async () => {
  const { subscription, calls } = open();
  subscription.offer('a', 1);
  subscription.end(new Error('gone'));
  subscription.offer('after the end', 1);
  assert.deepEqual((await subscription.next()).value, ['a']);
  await assert.rejects(subscription.next(), { message: 'gone' });
  assert.deepEqual(await subscription.next(), { done: true, value: undefined });
  assert.deepEqual(calls, ['end', 'drained']);
});

test('past its bound it ends with LIMIT_EXCEEDED, and names the limit', async () => {
  const { subscription, calls } = open(2);
  for (const message of ['a', 'b', 'c', 'd']) subscription.offer(message, 1);
  assert.deepEqual(calls, ['end']);
  assert.deepEqual((await subscription.next()).value, ['a', 'b', 'c']);
  await assert.rejects(subscription.next(), {
    code: 'LIMIT_EXCEEDED',
    details: { limit: 'limits.outboundBytesPerConnection' },
  });
});

test('a second next() before the answer is refused', async () => {
  const { subscription } = open();
  const first = subscription.next();
  await assert.rejects(subscription.next(), /before the last call was answered/);
  await subscription.return();
  await first;
});

test('a single message passes, however large', async () => {
  const { subscription, calls } = open(2);
  subscription.offer('large', 3);
  assert.deepEqual(calls, []);
  subscription.offer('one more', 1);
  assert.deepEqual(calls, ['end']);
  assert.deepEqual((await subscription.next()).value, ['large', 'one more']);
});

test('cut() drops what is queued, also of one that is ending already', async () => {
  for (const ending of [false, true]) {
    const { subscription, calls } = open();
    subscription.offer('a', 1);
    if (ending) subscription.end(new Error('gone'));
    subscription.cut(new Error('revoked'));
    assert.equal(subscription.queuedBytes, 0);
    await assert.rejects(subscription.next(), { message: 'revoked' });
    assert.deepEqual(await subscription.next(), { done: true, value: undefined });
    assert.deepEqual(calls, ['end']);
  }
});
