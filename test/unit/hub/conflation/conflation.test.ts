import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { ConflationBounds } from '../../../../src/hub/conflation/choice.ts';
import { Conflation } from '../../../../src/hub/conflation/conflation.ts';
import type { Conflated } from '../../../../src/hub/delivery.ts';
import { EventMessage } from '../../../../src/hub/message.ts';
import { sketched } from '../../../support/events.ts';

const everyMs = 250;
const byUser: Conflated = { mode: 'LATEST', by: 'user.id', everyMs };
const newest: Conflated = { mode: 'LATEST', by: null, everyMs };
const sample: Conflated = { mode: 'SAMPLE', everyMs };
const wide: ConflationBounds = { maxValues: 1_000, maxBytes: 1_000_000 };

/** One behind the other; each stands at its number. */
function messages(payloads: readonly (readonly [payload: string, late?: boolean])[]) {
  return payloads.map(([json, late = false], offset) => {
    const next = [offset + 1];
    const place = { position: { key: null, next, lowest: next }, encode: () => '' };
    return new EventMessage('t', sketched({ offset, at: offset, json }), late, place);
  });
}

const of = (...users: readonly unknown[]): [string][] =>
  users.map((id) => [JSON.stringify({ user: { id } })]);

/** Which came, how many were left out before each, and where each stands. */
function told(due: readonly EventMessage[]): [number, number, number | undefined][] {
  return due.map(({ event, omitted, position }) => [event.offset, omitted, position.next[0]]);
}

function conflated(delivery: Conflated, payloads: readonly (readonly [string, boolean?])[]) {
  const conflation = new Conflation(delivery, wide);
  for (const message of messages(payloads)) conflation.accept(message);
  return conflation.take();
}

test('the newest of each value, in the order in which they came, each with what was left out before', () => {
  const due = conflated(byUser, of('a', 'b', 'a', 'c', 'b', 'b'));
  assert.deepEqual(told(due.messages), [
    [2, 2, 3],
    [3, 0, 4],
    [5, 1, 6],
  ]);
});

test('without a property the newest of all', () => {
  assert.deepEqual(told(conflated(newest, of('a', 'b', 'c')).messages), [[2, 2, 3]]);
});

test('what lacks the property has a value of its own, as null has', () => {
  const due = conflated(byUser, [['{}'], ['{"user":7}'], ...of(1, null), ['[]']]);
  assert.deepEqual(told(due.messages), [
    [2, 2, 3],
    [4, 1, 5],
  ]);
});

test('integers beyond 2^53 are told apart', () => {
  const due = conflated(byUser, [
    ['{"user":{"id":9007199254740992}}'],
    ['{"user":{"id":9007199254740993}}'],
  ]);
  assert.equal(due.messages.length, 2);
});

test('a late event does not take the place of one in time; it counts', () => {
  const due = conflated(byUser, [
    ['{"user":{"id":1}}'],
    ['{"user":{"id":2}}'],
    ['{"user":{"id":1}}', true],
  ]);
  // The last one stands where the late one did: who goes on from there does not get it again.
  assert.deepEqual(told(due.messages), [
    [0, 0, 1],
    [1, 1, 3],
  ]);
  const late = conflated(newest, [
    ['{}', true],
    ['{}', true],
  ]);
  assert.deepEqual(told(late.messages), [[1, 1, 2]]);
});

test('an event that stands for itself alone is the very message that all others get', () => {
  const conflation = new Conflation(byUser, wide);
  const [one, two] = messages(of(1, 2));
  assert.ok(one && two);
  conflation.accept(one);
  conflation.accept(two);
  assert.deepEqual(conflation.take().messages, [one, two]);
});

test('it is full with so many values, or so many bytes', () => {
  const few = new Conflation(byUser, { maxValues: 2, maxBytes: 1_000 });
  const [one, again, two] = messages(of(1, 1, 2));
  assert.ok(one && again && two);
  few.accept(one);
  few.accept(again);
  assert.equal(few.isFull, false);
  few.accept(two);
  assert.equal(few.isFull, true);
  few.take();
  assert.equal(few.isFull, false);

  const small = new Conflation(byUser, { maxValues: 100, maxBytes: 2 * one.size });
  small.accept(one);
  small.accept(again);
  assert.equal(small.isFull, false, 'only the newest counts');
  small.accept(two);
  assert.equal(small.isFull, true);
});

test('a sample is any of them, and accounts for all', () => {
  const count = 4;
  const taken = Array.from({ length: count }, () => 0);
  const runs = 4_000;
  for (let run = 0; run < runs; run += 1) {
    const { messages } = conflated(sample, of(1, 2, 3, 4));
    const [chosen] = messages;
    assert.ok(chosen && messages.length === 1);
    assert.deepEqual([chosen.omitted, chosen.position.next], [count - 1, [count]]);
    const { offset } = chosen.event;
    taken[offset] = (taken[offset] ?? 0) + 1;
  }
  // 1,000 each; so far off by chance in one of 10^13 runs.
  for (const times of taken) assert.ok(Math.abs(times - runs / count) < 210, String(taken));
});

const interval = fc.array(fc.record({ user: fc.nat(3), late: fc.boolean() }), { maxLength: 20 });

test('property: what is delivered and what is left out are all there was, for whomever it is counted', () => {
  fc.assert(
    fc.property(
      interval,
      fc.nat(20),
      fc.constantFrom(byUser, newest, sample),
      (events, joined, delivery) => {
        const payloads = events.map(
          ({ user, late }) => [JSON.stringify({ user: { id: user } }), late] as const,
        );
        const from = Math.min(joined, events.length);
        const due = conflated(delivery, payloads).since(from);
        let counted = from;
        for (const { omitted, position, event } of due) {
          counted += omitted + 1;
          assert.equal(position.next[0], counted);
          assert.ok(event.offset >= from && event.offset < counted);
        }
        assert.equal(counted, events.length);
      },
    ),
  );
});

test('property: of each value comes the last in time, or else the last', () => {
  fc.assert(
    fc.property(interval, (events) => {
      const payloads = events.map(
        ({ user, late }) => [JSON.stringify({ user: { id: user } }), late] as const,
      );
      const delivered = conflated(byUser, payloads).messages.map(({ event }) => event.offset);
      const expected = new Set(
        [0, 1, 2, 3].flatMap((user) => {
          const own = [...events.entries()].filter(([, event]) => event.user === user);
          const last = own.findLast(([, { late }]) => !late) ?? own.at(-1);
          return last === undefined ? [] : [last[0]];
        }),
      );
      assert.deepEqual(new Set(delivered), expected);
      assert.deepEqual(
        delivered,
        delivered.toSorted((a, b) => a - b),
      );
    }),
  );
});
