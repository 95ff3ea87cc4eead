import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventOrder } from '../../../src/sequence/order.ts';
import type { GotEvent, Place, Tape } from '../../chaos/event.ts';
import { explain } from '../../chaos/explain.ts';
import { falselyAcknowledged, isClean, judge, verdictOf } from '../../chaos/judge.ts';
import { LogCopy } from '../../chaos/log-copy.ts';

const topic = { projectId: 'acme', name: 'orders', kafkaTopic: 'acme.orders' };
const clean = {
  lost: 0,
  undeclaredGaps: 0,
  repeated: 0,
  outOfOrder: 0,
  foreign: 0,
  unfounded: 0,
  alarms: 0,
};

/** Event n lies in partition n % 2, at offset n / 2. */
function placeOf(number: number): Place {
  return { partition: number % 2, offset: Math.floor(number / 2) };
}

function logOf(events: number): LogCopy {
  const log = new LogCopy();
  for (let number = 0; number < events; number += 1) {
    log.put(`acme.orders/${number}`, placeOf(number));
  }
  return log;
}

function event(number: number, more: Partial<GotEvent> = {}): GotEvent {
  return {
    id: `acme.orders/${number}`,
    late: false,
    timestampMs: number,
    sequence: number,
    connection: 1,
    ...placeOf(number),
    ...more,
  };
}

function tapeOf(
  got: readonly GotEvent[],
  { order = 'TIMESTAMP', errors = [] }: { order?: EventOrder; errors?: readonly string[] } = {},
): Tape {
  return { name: 'a subscriber', topic, order, got, errors };
}

function verdict(tape: Tape, log: LogCopy): object {
  return verdictOf(judge(tape, log));
}

test('who has each event of the log once, in order, is clean', () => {
  const got = [0, 1, 2, 3].map((number) => event(number));
  const anomalies = judge(tapeOf(got, { errors: ['KAFKA_UNAVAILABLE'] }), logOf(4));
  assert.deepEqual(verdictOf(anomalies), clean);
  assert.ok(isClean(verdictOf(anomalies)));
  assert.deepEqual(explain(anomalies, tapeOf(got), logOf(4)), []);
});

test('what is in the log and never came is lost, and a gap if what lies behind it came', () => {
  const log = logOf(6);
  const tape = tapeOf([event(0), event(1), event(4)]);
  assert.deepEqual(verdict(tape, log), { ...clean, lost: 3, undeclaredGaps: 1 });
  const [first] = explain(judge(tape, log), tape, log);
  assert.match(first ?? '', /^lost: acme\.orders\/2 lies at 0@1, between #0 acme\.orders\/0/);
  assert.match(first ?? '', / and #2 acme\.orders\/4 \(0@2/);
});

test('what comes twice is repeated, at whichever of its places it lies', () => {
  const log = logOf(3);
  log.put('acme.orders/1', { partition: 0, offset: 7 });
  const again = event(1, { partition: 0, offset: 7, connection: 2, late: true });
  const tape = tapeOf([event(0), event(1), event(2), again]);
  assert.deepEqual(verdict(tape, log), { ...clean, repeated: 1 });
  const [told] = explain(judge(tape, log), tape, log);
  assert.match(told ?? '', /#1 .*connection 1\), then #3 .*connection 2\); it lies at 1@0, 0@7;/);
});

test('order is that of the own times, numbers, or places, and late ones are left out', () => {
  const got = [event(0), event(2), event(1), event(3)];
  for (const order of ['TIMESTAMP', 'SEQUENCE'] as const) {
    assert.deepEqual(verdict(tapeOf(got, { order }), logOf(4)), { ...clean, outOfOrder: 1 });
  }
  assert.deepEqual(verdict(tapeOf(got, { order: 'ARRIVAL' }), logOf(4)), clean);
  const late = [event(0), event(2), event(1, { late: true }), event(3)];
  assert.deepEqual(verdict(tapeOf(late), logOf(4)), clean);
  const back = [event(0), event(3), event(2), event(1)];
  assert.deepEqual(verdict(tapeOf(back, { order: 'ARRIVAL' }), logOf(4)), {
    ...clean,
    outOfOrder: 1,
  });
});

test('what is of another topic is foreign; what the log has not there is unfounded', () => {
  const others = event(1, { id: 'globex.orders/1' });
  assert.deepEqual(verdict(tapeOf([event(0), others]), logOf(1)), { ...clean, foreign: 1 });
  const moved = event(1, { offset: 9 });
  assert.deepEqual(verdict(tapeOf([event(0), moved]), logOf(2)), { ...clean, unfounded: 1 });
});

test('an error that tells of a loss where nothing is lost is an alarm', () => {
  const tape = tapeOf([event(0)], { errors: ['LOG_TRUNCATED', 'KAFKA_UNAVAILABLE'] });
  assert.deepEqual(verdict(tape, logOf(1)), { ...clean, alarms: 1 });
  assert.deepEqual(explain(judge(tape, logOf(1)), tape, logOf(1)), ['alarmed: LOG_TRUNCATED']);
});

test('of many anomalies only some of each kind are told', () => {
  const log = logOf(1_000);
  const got = Array.from({ length: 50 }, () => event(0));
  const told = explain(judge(tapeOf(got), log), tapeOf(got), log);
  assert.equal(told.filter((line) => line.startsWith('lost')).length, 3);
  assert.equal(told.filter((line) => line.startsWith('repeated')).length, 3);
});

test('an acknowledgement is false when the log has not that event at that place', () => {
  const log = logOf(2);
  const acknowledged = new Map([
    ['acme.orders/0', [placeOf(0)]],
    ['acme.orders/1', [placeOf(1), { partition: 0, offset: 9 }]],
    ['acme.orders/2', [placeOf(0)]],
  ]);
  assert.deepEqual(falselyAcknowledged(acknowledged, log), [
    { id: 'acme.orders/1', places: [{ partition: 0, offset: 9 }] },
    { id: 'acme.orders/2', places: [placeOf(0)] },
  ]);
});
