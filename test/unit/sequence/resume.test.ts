import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventOrder } from '../../../src/sequence/order.ts';
import type { Judgement, ModelOptions } from '../../model/resume-model.ts';
import { judgeResumes } from '../../model/resume-model.ts';

const { MILLRACE_MODEL_SEED: givenSeed, MILLRACE_MODEL_LOGS: givenLogs } = process.env;
const firstSeed = Number(givenSeed ?? Date.now() % 1_000_000_000);
const logs = Number(givenLogs ?? (givenSeed === undefined ? 120 : 1));

/** Judges many random logs. @returns what was wrong, each with the seed that shows it again */
function judgeMany(options: Omit<ModelOptions, 'seed'>, judged = logs) {
  let resumes = 0;
  const wrong: (Judgement & { readonly seed: number })[] = [];
  for (let seed = firstSeed; seed < firstSeed + judged; seed++) {
    const judgement = judgeResumes({ ...options, seed });
    resumes += judgement.resumes;
    if (judgement.lost.length + judgement.twice.length + judgement.disordered > 0) {
      wrong.push({ ...judgement, seed });
    }
  }
  return { resumes, wrong };
}

function show({ seed, lost, twice, disordered }: Judgement & { readonly seed: number }): string {
  return `MILLRACE_MODEL_SEED=${seed}: lost ${lost.join()}; twice ${twice.join()}; disordered ${disordered}`;
}

const orders: readonly EventOrder[] = ['TIMESTAMP', 'SEQUENCE', 'ARRIVAL'];
for (const order of orders) {
  for (const deduplicate of [true, false]) {
    test(`${order}${deduplicate ? '' : ', copies too'}: resuming loses nothing, repeats nothing, keeps the order`, (t) => {
      const { resumes, wrong } = judgeMany({ order, deduplicate, cursor: 'K, R and V' });
      t.diagnostic(`${resumes} resumes, seeds ${firstSeed} to ${firstSeed + logs - 1}`);
      assert.deepEqual(wrong.map(show), []);
    });
  }
}

test('broker times from the future: nothing is lost, and nothing else is repeated or moved', () => {
  const { wrong } = judgeMany({
    order: 'TIMESTAMP',
    deduplicate: true,
    cursor: 'K, R and V',
    fromFuture: true,
  });
  const worse = wrong.filter(
    // An instance that starts later cannot know that they were from the future: docs/ordering.md.
    ({ lost, twice, disordered, fromFuture }) =>
      lost.length + disordered > 0 || twice.some((id) => !fromFuture.has(id)),
  );
  assert.deepEqual(worse.map(show), []);
});

// Controls: what the judge must find, or it finds nothing.
for (const order of ['TIMESTAMP', 'SEQUENCE'] as const) {
  test(`${order}: a cursor of R only loses what was held`, () => {
    const { wrong } = judgeMany({ order, deduplicate: false, cursor: 'R only' }, 60);
    assert.ok(
      wrong.some(({ lost }) => lost.length > 0),
      `from seed ${firstSeed}`,
    );
    assert.ok(
      wrong.every(({ twice }) => twice.length === 0),
      `from seed ${firstSeed}`,
    );
  });

  test(`${order}: a cursor of V only repeats what was delivered`, () => {
    const { wrong } = judgeMany({ order, deduplicate: false, cursor: 'V only' }, 60);
    assert.ok(
      wrong.some(({ twice }) => twice.length > 0),
      `from seed ${firstSeed}`,
    );
    assert.ok(
      wrong.every(({ lost }) => lost.length === 0),
      `from seed ${firstSeed}`,
    );
  });
}
