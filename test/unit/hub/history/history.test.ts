import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Event } from '../../../../src/decode/event.ts';
import { beginning, type StreamPosition } from '../../../../src/hub/cursor/stream-position.ts';
import { History } from '../../../../src/hub/history/history.ts';
import type { Replay } from '../../../../src/hub/history/replay.ts';
import type { StreamMessage } from '../../../../src/hub/history/stream-message.ts';
import type { OrderKey } from '../../../../src/sequence/order-key.ts';
import type { EventOrder } from '../../../../src/sequence/order.ts';
import { sketched } from '../../../support/events.ts';

function historyOf(
  order: EventOrder,
  { maxBytes = 1e6, start = beginning }: { maxBytes?: number; start?: StreamPosition } = {},
): History<Event> {
  return new History({
    order,
    maxBytes,
    start,
    recordOf: ({ id, partition, offset }) => ({ id, lane: partition, offset }),
    bytesOf: ({ json }) => json.length,
  });
}

/** The place of a number; no two records have the same here. */
function key(value: number): OrderKey {
  return { time: 0, value, id: [0, 0, 0, 0], partition: 0, offset: 0 };
}

function record(id: string, partition: number, offset: number): Event {
  return sketched({ id, partition, offset, at: 0 });
}

function at(value: number | null, next: number[], lowest: number[] = next): StreamPosition {
  return { key: value === null ? null : key(value), next, lowest };
}

function follows(replay: Replay<Event> | 'gone' | 'ahead'): StreamMessage<Event>[] {
  assert.ok(typeof replay === 'object');
  const messages: StreamMessage<Event>[] = [];
  for (let next = replay.next(); next !== 'end'; next = replay.next()) {
    assert.notEqual(next, 'forgotten');
    if (typeof next === 'object') messages.push(next);
  }
  return messages;
}

function ids(replay: Replay<Event> | 'gone' | 'ahead'): (string | null)[] {
  return follows(replay).map(({ item }) => item.id);
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

/** Releases a and b, a turn each, then c and d in one. */
function filled(): { history: History<Event>; messages: StreamMessage<Event>[] } {
  const history = historyOf('SEQUENCE');
  const messages = [history.emitted(record('a', 0, 0), false, key(1))];
  history.mark(at(1, [2, 1], [1, 0]));
  messages.push(history.emitted(record('b', 1, 0), false, key(2)));
  history.mark(at(2, [3, 3], [1, 1]));
  messages.push(history.emitted(record('c', 0, 1), false, key(3)));
  messages.push(history.emitted(record('d', 1, 1), false, key(4)));
  history.mark(at(4, [5, 5], [2, 2]));
  return { history, messages };
}

test('after the cursor of each message comes what follows, the very same messages', () => {
  const { history, messages } = filled();
  assert.deepEqual(follows(history.after(beginning)), messages);
  for (const [index, { position }] of messages.entries()) {
    const rest = follows(history.after(position));
    assert.deepEqual(rest, messages.slice(index + 1));
    // Their cursors are made once for all.
    for (const [at, message] of rest.entries()) assert.equal(message, messages[index + 1 + at]);
  }
  assert.deepEqual(ids(history.after(history.position)), []);
});

test('a client that was at the end gets what is emitted then', () => {
  const { history } = filled();
  const replay = history.after(history.position);
  assert.ok(typeof replay === 'object');
  assert.equal(replay.next(), 'end');
  const message = history.emitted(record('e', 0, 2), false, key(5));
  history.mark(at(5, [6, 6], [6, 6]));
  assert.equal(replay.next(), message);
  assert.equal(replay.next(), 'end');
});

test('where another instance had read other partitions further, a seam leads to a position of this one', () => {
  const history = historyOf('SEQUENCE');
  history.emitted(record('b', 0, 1), false, key(2));
  history.mark(at(2, [2, 0], [2, 0]));
  // Read late here, and emitted late.
  history.emitted(record('a', 1, 0), true, key(1));
  history.emitted(record('c', 1, 1), false, key(3));
  history.mark(at(3, [2, 2], [2, 2]));
  // The other one emitted a, and nothing of partition 0.
  const messages = follows(history.after(at(1, [0, 1])));
  assert.deepEqual(
    messages.map(({ item, late, position }) => [item.id, late, position.key?.value, position.next]),
    [
      ['b', false, 2, [2, 1]],
      ['c', false, 3, [2, 2]],
    ],
  );
  // It emitted c, not b nor a: they are late for its client, partition by partition.
  const overdue = follows(history.after(at(3, [0, 0])));
  assert.deepEqual(
    overdue.map(({ item, late, position }) => [item.id, late, position.key?.value, position.next]),
    [
      ['b', true, 3, [2, 0]],
      ['a', true, 3, [2, 1]],
      ['c', true, 3, [2, 2]],
    ],
  );
});

test('an event whose copy the client got does not come again', () => {
  const history = historyOf('SEQUENCE');
  history.emitted(record('x', 0, 0), false, key(1));
  history.copy(record('x', 1, 0), key(5));
  history.emitted(record('y', 0, 1), false, key(6));
  history.mark(at(6, [2, 1]));
  // The copy was emitted elsewhere, where partition 0 was behind.
  assert.deepEqual(ids(history.after(at(5, [0, 1]))), ['y']);
  assert.deepEqual(ids(history.after(at(4, [0, 1]))), ['x', 'y']);
});

test('a copy with a smaller key decides when the event is due, and so it is late', () => {
  const history = historyOf('SEQUENCE');
  history.emitted(record('x', 0, 0), false, key(5));
  history.copy(record('x', 1, 0), key(2));
  history.emitted(record('y', 1, 1), true, key(3));
  history.mark(at(5, [1, 2]));
  const messages = follows(history.after(at(1, [0, 1], [0, 0])));
  assert.deepEqual(
    messages.map(({ item, late, position }) => [item.id, late, position.key?.value]),
    [
      ['x', true, 2],
      ['y', true, 3],
    ],
  );
});

test('by arrival the order of the stream stays', () => {
  const history = historyOf('ARRIVAL');
  for (const [id, partition, offset] of [
    ['a', 1, 0],
    ['b', 0, 0],
    ['c', 1, 1],
    ['d', 0, 1],
  ] as const) {
    history.emitted(record(id, partition, offset), false, null);
  }
  history.mark(at(null, [2, 2]));
  const messages = follows(history.after(at(null, [1, 0])));
  assert.deepEqual(
    messages.map(({ item, position }) => [item.id, position.next]),
    [
      ['a', [1, 1]],
      ['c', [1, 2]],
      ['d', [2, 2]],
    ],
  );
});

test('what is behind is gone, what is not there yet is ahead', () => {
  const history = historyOf('SEQUENCE', { start: at(10, [5, 5]) });
  history.emitted(record('a', 0, 5), false, key(11));
  history.mark(at(11, [6, 5]));
  assert.equal(history.after(at(9, [5, 5])), 'gone');
  assert.equal(history.after(at(10, [5, 4])), 'gone');
  assert.equal(history.after(at(10, [5])), 'gone');
  assert.equal(history.after(at(null, [5, 5])), 'gone');
  assert.equal(history.after(at(12, [6, 5])), 'ahead');
  assert.equal(history.after(at(11, [6, 6])), 'ahead');
  // A partition that neither has read.
  assert.deepEqual(ids(history.after(at(10, [5, 5, 0]))), ['a']);
  history.mark(at(11, [6, 6]));
  assert.deepEqual(ids(history.after(at(11, [6, 6]))), []);
});

test('the bytes are bounded, and whoever is overtaken is told', () => {
  const maxBytes = 100_000;
  const history = historyOf('ARRIVAL', { maxBytes });
  const replay = history.after(beginning);
  assert.ok(typeof replay === 'object');
  let most = 0;
  for (let offset = 0; offset < 5_000; offset++) {
    history.emitted(sketched({ offset, at: 0, json: 'x'.repeat(100) }), false, null);
    history.copy(record('x', 0, offset), null);
    history.mark(at(null, [offset + 1]));
    most = Math.max(most, history.bytes);
  }
  assert.ok(most <= maxBytes && most > maxBytes / 2, `${most}`);
  assert.equal(replay.next(), 'forgotten');
  assert.equal(history.after(beginning), 'gone');
  const remembered = history.start.next[0] ?? 0;
  assert.equal(follows(history.after(history.start)).length, 5_000 - remembered);
});

test('a turn that is larger than the whole bound is forgotten as a whole', () => {
  const history = historyOf('ARRIVAL', { maxBytes: 10_000 });
  for (let offset = 0; offset < 100; offset++) {
    history.emitted(sketched({ offset, at: 0, json: 'x'.repeat(1_000) }), false, null);
  }
  history.mark(at(null, [100]));
  assert.ok(history.bytes <= 10_000);
  assert.equal(history.after(at(null, [99])), 'gone');
  assert.deepEqual(ids(history.after(at(null, [100]))), []);
});

test('in the midst of a turn nobody is answered', () => {
  const history = historyOf('ARRIVAL');
  history.emitted(record('a', 0, 0), false, null);
  assert.throws(() => history.after(beginning), /midst of a turn/);
});

test('without anything held V follows R, so that what was from the future does not come again', () => {
  const history = historyOf('TIMESTAMP', { start: { key: null, next: [3], lowest: [3] } });
  const { next, lowest } = history.emitted(record('a', 0, 3), true, null).position;
  // Both were one array in the start of a stream where nothing is held.
  assert.deepEqual([next, lowest], [[4], [3]]);
  const same = [4];
  history.mark({ key: null, next: same, lowest: same });
  const message = history.emitted(record('b', 0, 4), true, null);
  assert.deepEqual(message.position.lowest, [5]);
  history.mark({ key: null, next: [5], lowest: [5] });
  assert.deepEqual(ids(history.after(message.position)), []);
});

test('what was from the future here and is held by the client comes, wherever it was emitted', () => {
  const history = historyOf('TIMESTAMP');
  history.emitted(record('future', 0, 0), true, null);
  history.emitted(record('a', 0, 1), false, key(1));
  history.mark(at(1, [2]));
  assert.deepEqual(ids(history.after(at(1, [2], [0]))), ['future']);
  assert.deepEqual(ids(history.after(at(1, [2], [2]))), []);
});

test('a cursor is made once for all clients', () => {
  const { messages } = filled();
  let made = 0;
  const encode = (): string => `${++made}`;
  for (const message of [...messages, ...messages]) message.cursor(encode);
  assert.equal(made, messages.length);
});

test('a client in the midst of what is forgotten does not hold on to what came since', async () => {
  const history = historyOf('SEQUENCE', { maxBytes: 20_000 });
  const emit = (n: number): void => {
    const json = JSON.stringify({ pad: 'x'.repeat(1_000), n });
    history.emitted({ ...record(`e${n}`, 0, n), json }, false, key(n));
    history.mark(at(n, [n + 1]));
  };
  emit(0);
  const replay = history.after(beginning);
  assert.ok(typeof replay === 'object');
  const later: WeakRef<StreamMessage<Event>>[] = [];
  for (let n = 1; n < 200; n += 1) {
    emit(n);
    const behind = history.after(at(n - 1, [n]));
    assert.ok(typeof behind === 'object');
    const message = behind.next();
    if (typeof message === 'object') later.push(new WeakRef(message));
  }
  assert.equal(replay.next(), 'forgotten');
  assert.ok(history.bytes < 25_000);
  // The engine keeps what a `WeakRef` was asked for until the turn is over.
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  const kept = later.filter((message) => message.deref() !== undefined);
  assert.ok(kept.length < 60, `${kept.length} of ${later.length} are held`);
  assert.equal(replay.next(), 'forgotten');
});
