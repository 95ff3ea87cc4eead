import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventOrder } from '../../../../src/sequence/order.ts';
import { judgeMany } from '../../../model/judge-many.ts';

const { MILLRACE_SEED: givenSeed } = process.env;
const firstSeed = Number(givenSeed ?? Date.now() % 1_000_000_000);
const logs = givenSeed === undefined ? 25 : 1;

const orders: readonly EventOrder[] = ['TIMESTAMP', 'SEQUENCE', 'ARRIVAL'];
for (const order of orders) {
  for (const deduplicate of [true, false]) {
    const name = `${order}${deduplicate ? '' : ', copies too'}`;
    test(`${name}: whoever comes back to whichever instance gets each event once, in order`, (t) => {
      const options = { order, deduplicate, resumeBy: 'cursor' } as const;
      const { wrong, kinds: _, ...counts } = judgeMany(options, firstSeed, { logs });
      t.diagnostic(`MILLRACE_SEED=${firstSeed}: ${JSON.stringify(counts)}`);
      assert.deepEqual(wrong, []);
    });
  }
}

test('records from the future, and clocks that differ: nothing is lost, nothing else comes twice', (t) => {
  for (const deduplicate of [true, false]) {
    const { wrong, resumes } = judgeMany(
      { order: 'TIMESTAMP', deduplicate, resumeBy: 'cursor', fromFuture: true },
      firstSeed,
      { logs },
    );
    t.diagnostic(`MILLRACE_SEED=${firstSeed}: ${resumes} resumes`);
    assert.deepEqual(wrong, []);
  }
});

// Controls: what the judge must find, or it finds nothing.

test('a cursor of R only loses what was held', () => {
  const options = { order: 'TIMESTAMP', deduplicate: false, resumeBy: 'R only' } as const;
  const { kinds } = judgeMany(options, firstSeed, { logs: 25 });
  assert.ok(kinds.has('lost') && !kinds.has('twice'), `MILLRACE_SEED=${firstSeed}`);
});

test('a cursor of V only repeats what was delivered', () => {
  const options = { order: 'TIMESTAMP', deduplicate: false, resumeBy: 'V only' } as const;
  const { kinds } = judgeMany(options, firstSeed, { logs: 25 });
  assert.ok(kinds.has('twice') && !kinds.has('lost'), `MILLRACE_SEED=${firstSeed}`);
});

test('a history that is not told of copies repeats', () => {
  const options = { deduplicate: true, resumeBy: 'cursor, ignoring copies' } as const;
  const { kinds } = judgeMany({ order: 'TIMESTAMP', ...options }, firstSeed, { logs: 300 });
  assert.ok(kinds.has('twice'), `MILLRACE_SEED=${firstSeed}`);
});
