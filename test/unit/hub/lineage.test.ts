import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert as assertProperty, integer, nat, property, record } from 'fast-check';
import { Lineage } from '../../../src/hub/lineage.ts';

function at(next: number, epoch: number | null) {
  return { key: null, next: [next], lowest: [next], epochs: [epoch] };
}

test('who read further under an earlier epoch than a later one begins has lost the rest', () => {
  const lineage = new Lineage();
  lineage.read(0, [{ from: 10, epoch: 3 }], true);
  lineage.read(0, [{ from: 20, epoch: 5 }], true);
  assert.deepEqual(lineage.lostOf(at(20, 3)), []);
  assert.deepEqual(lineage.lostOf(at(21, 3)), [{ partition: 0, from: 20, to: 21 }]);
  assert.deepEqual(lineage.lostOf(at(25, 4)), [{ partition: 0, from: 20, to: 25 }]);
  assert.deepEqual(lineage.lostOf(at(25, 5)), []);
  // What was read began when another one led already.
  assert.deepEqual(lineage.lostOf(at(15, 2)), [{ partition: 0, from: 10, to: 15 }]);
  // It is not known when, or nothing was read of it.
  assert.deepEqual(lineage.lostOf(at(25, null)), []);
  assert.deepEqual(lineage.lostOf({ ...at(25, 1), epochs: [null, 1], next: [0, 25] }), []);
});

test('epochs are known from where streams begin, never fall, and are one array while they last', () => {
  const lineage = new Lineage([7]);
  lineage.read(1, [{ from: 0, epoch: 2 }], false);
  assert.deepEqual(lineage.epochs, [7]);
  lineage.read(1, [], true);
  assert.deepEqual(lineage.epochs, [7, 2]);
  const { epochs } = lineage;
  lineage.read(1, [], true);
  lineage.read(0, [{ from: 0, epoch: 6 }], true);
  lineage.read(2, [{ from: 0, epoch: -1 }], true);
  assert.equal(lineage.epochs, epochs);
});

/** Leaders one after the other, each of whom has all that the ones before wrote up to where it begins. */
const changes = array(
  record({ records: integer({ min: 0, max: 5 }), cutOff: integer({ min: 0, max: 3 }) }),
  { minLength: 1, maxLength: 100 },
);

test('of any history of leaders, what is lost is told, and nothing else', () => {
  assertProperty(
    property(changes, nat(), (history, chosen) => {
      let log: { epoch: number; record: string }[] = [];
      const cursors: { next: number; epoch: number; read: string[] }[] = [];
      for (const [epoch, { records, cutOff }] of history.entries()) {
        log = log.slice(0, Math.max(0, log.length - cutOff));
        for (let each = 0; each < records; each += 1) {
          log.push({ epoch, record: `${epoch}/${log.length}` });
          cursors.push({ next: log.length, epoch, read: log.map((entry) => entry.record) });
        }
      }
      const cursor = cursors[chosen % Math.max(1, cursors.length)];
      if (cursor === undefined) return;
      const lineage = new Lineage();
      for (const [from, { epoch }] of log.entries()) {
        if (log[from - 1]?.epoch !== epoch) lineage.read(0, [{ from, epoch }], true);
      }
      const kept = cursor.read.findIndex((read, offset) => log[offset]?.record !== read);
      // Where the log is shorter than the cursor, its end tells.
      if (kept === -1 || kept >= log.length) {
        assert.deepEqual(lineage.lostOf(at(cursor.next, cursor.epoch)), []);
        return;
      }
      const [range] = lineage.lostOf(at(cursor.next, cursor.epoch));
      assert.equal(range?.to, cursor.next);
      // So many changes of leader are not kept each.
      assert.ok(range.from === kept || (log.length > 64 && range.from <= kept));
    }),
  );
});
