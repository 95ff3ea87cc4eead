import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Message } from '../../../src/hub/message.ts';
import type { Parcel } from '../../../src/hub/parcel.ts';
import { Subscription } from '../../../src/hub/subscription.ts';
import { nowhere, parcel } from '../../support/parcels.ts';

class Text extends Message {
  readonly text: string;
  readonly size: number;

  constructor(text: string, size: number) {
    super(nowhere.position, nowhere.encode);
    this.text = text;
    this.size = size;
  }
}

/** A subscription whose messages are texts. */
class Texts extends Subscription<Text> {
  offer(text: string, size: number): void {
    this.push(parcel(new Text(text, size)));
  }

  async take(): Promise<readonly string[]> {
    const step = await this.next();
    return step.done === true ? [] : step.value.map(({ text }) => text);
  }
}

function open(maxQueuedBytes = 100) {
  const calls: string[] = [];
  const subscription = new Texts({
    maxQueuedBytes,
    onEnd: () => calls.push('end'),
    onBehind: (position) => {
      calls.push(position === nowhere.position ? 'behind' : 'behind, elsewhere');
    },
  });
  return { subscription, calls };
}

test('what gathered between two pulls comes as one batch', async () => {
  const { subscription } = open();
  subscription.offer('a', 1);
  subscription.offer('b', 1);
  assert.deepEqual(await subscription.take(), ['a', 'b']);
});

test('a pending pull takes all of the turn that answers it', async () => {
  const { subscription } = open();
  const pull = subscription.take();
  subscription.offer('a', 1);
  subscription.offer('b', 1);
  assert.deepEqual(await pull, ['a', 'b']);
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
  assert.deepEqual(await subscription.take(), ['a']);
  await assert.rejects(subscription.next(), { message: 'gone' });
  assert.deepEqual(await subscription.next(), { done: true, value: undefined });
  assert.deepEqual(calls, ['end']);
});

test('past its bound what is queued is dropped, and it is to go on from before that', async () => {
  const { subscription, calls } = open(2);
  for (const message of ['a', 'b', 'c']) subscription.offer(message, 1);
  assert.deepEqual(calls, ['behind']);
  assert.equal(subscription.queuedBytes, 0);
  subscription.offer('a again', 1);
  assert.deepEqual(await subscription.take(), ['a again']);
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
  assert.deepEqual(await subscription.take(), ['large']);
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

/** A subscriber that writes down what it is told, and takes it when the test says so. */
function subscriber() {
  const told: string[] = [];
  const waiting: (() => void)[] = [];
  return {
    told,
    waiting,
    backlogBytes: 0,
    deliver({ items }: Parcel<Text>) {
      told.push(...items.map(({ text }) => text));
    },
    whenTaken(taken: () => void) {
      waiting.push(taken);
    },
    end(error: Error | undefined) {
      told.push(error === undefined ? 'end' : `end: ${error.message}`);
    },
  };
}

test('an attached subscriber gets what had gathered, then everything at once, and the end', () => {
  const { subscription, calls } = open(2);
  subscription.offer('before', 1);
  const listener = subscriber();
  const { told } = listener;
  subscription.attach(listener);
  for (const text of ['a', 'b', 'c']) subscription.offer(text, 100);
  assert.deepEqual(told, ['before', 'a', 'b', 'c']);
  subscription.end(new Error('gone'));
  assert.deepEqual(told.slice(4), ['end: gone']);
  assert.deepEqual(calls, ['end']);
});

test('a subscriber that has left is told nothing any more', () => {
  const { subscription, calls } = open();
  const listener = subscriber();
  const { told } = listener;
  subscription.attach(listener);
  subscription.leave();
  subscription.offer('a', 1);
  subscription.end();
  assert.deepEqual(told, []);
  assert.deepEqual(calls, ['end']);
});

test('who falls behind over the first of what had gathered is not given what follows it', () => {
  const { subscription, calls } = open();
  for (const text of ['a', 'b', 'c']) subscription.offer(text, 1);
  const given: string[] = [];
  subscription.attach({
    backlogBytes: 0,
    deliver({ items, before }) {
      given.push(...items.map(({ text }) => text));
      subscription.fellBehind(before);
    },
    whenTaken: () => undefined,
    end: () => undefined,
  });
  assert.deepEqual([given, calls], [['a'], ['behind']]);
});
