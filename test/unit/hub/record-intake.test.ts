import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DeadLetter, Event } from '../../../src/decode/event.ts';
import { RecordIntake } from '../../../src/hub/record-intake.ts';
import type { RawRecord, RecordBatch } from '../../../src/kafka/port.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const nowMs = Date.UTC(2025, 0, 1);

function recordAt(offset: number, value = '{}'): RawRecord {
  return { offset, timestampMs: nowMs, key: null, value: Buffer.from(value) };
}

function decode(partition: number, { offset, timestampMs, value }: RawRecord): Event | DeadLetter {
  const json = String(value);
  const place = { partition, offset, recordedAtMs: timestampMs };
  if (json === 'bad') {
    return { kind: 'deadLetter', event: json, error: 'bad', source: 'BRIDGE', ...place };
  }
  const times = { timestampUs: nowMs * 1_000, timestamp: null, timestampReadable: true };
  return { kind: 'event', id: null, ...times, sequence: null, json, payload: {}, ...place };
}

function batchOf(records: RawRecord[], unreadable?: RecordBatch['unreadable']): RecordBatch {
  const nextOffset = (records.at(-1)?.offset ?? 0) + 1;
  const end = { nextOffset, highWatermark: nextOffset, logStartOffset: 0 };
  return { partition: 3, records, ...end, ...(unreadable === undefined ? {} : { unreadable }) };
}

/** @param from where the records begin that are for the streams; @param wantedFrom for somebody who has subscribed */
function open({ from = 0, wantedFrom = 0 } = {}) {
  const deadLetters: DeadLetter[] = [];
  const intake = new RecordIntake({
    decode,
    progress: { fromOf: () => from },
    joins: { precedeAll: (_partition, offset) => offset < wantedFrom },
    onDeadLetter: (deadLetter) => deadLetters.push(deadLetter),
    clock: new ManualClock(nowMs),
  });
  const chunks: number[][] = [];
  return {
    intake,
    chunks,
    take: (batch: RecordBatch) =>
      intake.take(batch, (events) => chunks.push(events.map(({ offset }) => offset))),
    told: () => deadLetters.map(({ offset, lastOffset = offset }) => [offset, lastOffset]),
    deadLetters,
  };
}

test('records are handed on in order, 128 at a time at the most', () => {
  const { intake, take, chunks } = open();
  const offsets = Array.from({ length: 300 }, (_, offset) => offset);
  take(batchOf(offsets.map((offset) => recordAt(offset))));
  assert.deepEqual(chunks.flat(), offsets);
  assert.deepEqual(
    chunks.map(({ length }) => length),
    [128, 128, 44],
  );
  assert.equal(intake.received, 300);
});

test('dead letters come in the order of their offsets, whatever made them', () => {
  const { take, told, chunks } = open();
  take(
    batchOf(
      [recordAt(2, 'bad'), recordAt(3), recordAt(6, 'bad')],
      [
        { from: 0, to: 2, reason: 'damaged' },
        { from: 4, to: 6, reason: 'damaged' },
        { from: 7, to: 9, reason: 'damaged' },
      ],
    ),
  );
  assert.deepEqual(told(), [
    [0, 1],
    [2, 2],
    [4, 5],
    [6, 6],
    [7, 8],
  ]);
  assert.deepEqual(chunks, [[3]]);
});

test('what cannot be read is told with its offsets, the reason and the time of now', () => {
  const { take, deadLetters } = open();
  take(batchOf([], [{ from: 5, to: 8, reason: 'damaged' }]));
  assert.deepEqual(deadLetters, [
    {
      kind: 'deadLetter',
      event: '',
      error: 'offsets 5 to 7 cannot be read: damaged',
      source: 'BRIDGE',
      partition: 3,
      offset: 5,
      lastOffset: 7,
      recordedAtMs: nowMs,
    },
  ]);
});

test('what lies before the start is decoded for its id, and neither counted nor told', () => {
  const { intake, take, told, chunks } = open({ from: 10 });
  take(
    batchOf(
      [recordAt(5), recordAt(6, 'bad'), recordAt(10), recordAt(11, 'bad')],
      [
        { from: 7, to: 9, reason: 'damaged' },
        { from: 12, to: 13, reason: 'damaged' },
      ],
    ),
  );
  assert.deepEqual(chunks, [[5, 10]]);
  assert.deepEqual(told(), [
    [11, 11],
    [12, 12],
  ]);
  assert.equal(intake.received, 2);
});

test('what nobody has subscribed for is passed over', () => {
  const { intake, take, told, chunks } = open({ wantedFrom: 10 });
  take(batchOf([recordAt(8), recordAt(9, 'bad'), recordAt(10)]));
  assert.deepEqual(chunks, [[10]]);
  assert.deepEqual(told(), []);
  assert.equal(intake.received, 1);
});
