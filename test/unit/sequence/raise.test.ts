import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OrderKey } from '../../../src/sequence/order-key.ts';
import { Sequencer } from '../../../src/sequence/sequencer.ts';
import type { SequencerOptions } from '../../../src/sequence/sequencer-options.ts';
import { sketched } from '../../support/events.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const start = 1_700_000_000_000;

function rig(options: Partial<SequencerOptions> = {}, partitions = 1) {
  const clock = new ManualClock(start);
  const emitted: string[] = [];
  const sequencer = new Sequencer({
    order: 'TIMESTAMP',
    deduplicate: true,
    latenessMs: 2_000,
    dedupWindowMs: 600_000,
    maxDedupBytes: 2 ** 20,
    maxHeldBytes: 2 ** 20,
    idKey: new Uint8Array(32),
    clock,
    emit: ({ id }, late) => emitted.push(`${id}${late ? '!' : ''}`),
    ...options,
  });
  for (let partition = 0; partition < partitions; partition += 1) {
    sequencer.addPartition(partition, 0);
  }
  let offset = 0;
  return {
    sequencer,
    emitted,
    /** Times relative to the start. */
    put: (id: string, at: number, t = at): void => {
      sequencer.ingest(
        sketched({ id, partition: 0, offset, at: start + at, t: start + t, sequence: t }),
      );
      offset += 1;
    },
    /** The partition answers that it is at its end. */
    idle: (atMs: number): void => {
      clock.jump(start + atMs - clock.now());
      sequencer.caughtUp(0, start + atMs);
      sequencer.release();
    },
  };
}

/** Of an event with this own time, relative to the start. */
function keyAt(ms: number): OrderKey {
  const time = (start + ms) * 1_000;
  return { time, value: time, id: [1, 0, 0, 0], partition: 0, offset: 9 };
}

test('K moves up to a key below the watermark, and what comes below it then is late', () => {
  const { sequencer, emitted, put, idle } = rig();
  put('a', 0);
  idle(10_000);
  assert.equal(sequencer.raise(keyAt(5_000)), true);
  assert.deepEqual(sequencer.position().key, keyAt(5_000));
  put('in time', 10_100, 8_200);
  idle(20_000);
  assert.deepEqual(emitted, ['a', 'in time']);
  assert.equal(sequencer.raise(keyAt(17_999)), true);
  put('not in time', 19_000, 17_500);
  assert.deepEqual(emitted.slice(2), ['not in time!']);
});

test('K stays where something is held, where the key is not late yet, and where it is no further', () => {
  const { sequencer, put, idle } = rig();
  put('a', 0);
  assert.equal(sequencer.raise(keyAt(-5_000)), false, 'something is held');
  idle(10_000);
  assert.equal(sequencer.raise(keyAt(8_000)), false, 'the watermark is there, not above it');
  assert.equal(sequencer.raise(keyAt(-1)), false, 'K is above it');
  assert.equal(sequencer.raise(keyAt(7_999)), true);
  assert.equal(sequencer.raise(keyAt(7_999)), false, 'K is there');
});

test('K stays where a partition is silent, whose records are still to come in order', () => {
  const { sequencer, put, idle } = rig({}, 2);
  put('a', 0);
  // The other one is left out after a while, so that `a` is released.
  for (let at = 1_000; at <= 20_000; at += 1_000) idle(at);
  assert.equal(sequencer.held, 0);
  assert.ok((sequencer.watermarkMs ?? 0) > start + 10_000);
  assert.equal(sequencer.raise(keyAt(10_000)), false);
});

test('of numbers no watermark says which are late', () => {
  const { sequencer, put, idle } = rig({ order: 'SEQUENCE' });
  put('a', 0, 1);
  idle(10_000);
  assert.equal(sequencer.raise({ ...keyAt(0), time: 0, value: 1_000 }), false);
});

test('K stays while what was below R is read again', () => {
  const position = { key: keyAt(0), next: new Map([[0, 5]]), lowest: new Map([[0, 0]]) };
  const { sequencer, idle } = rig({ resumeFrom: position });
  idle(10_000);
  assert.equal(sequencer.raise(keyAt(5_000)), false);
});
