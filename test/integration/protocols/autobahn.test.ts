import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fetchRunner, isConformant, playAutobahn } from '../../autobahn/suite.ts';

/** Large messages and thousands of them, which take minutes: `npm run test:autobahn` has them too. */
const long = ['9.*', '12.*', '13.*'];

test('the cases of Autobahn', async (t) => {
  const runner = await fetchRunner();
  if (!runner.ok) return t.skip(runner.reason);
  const verdicts = await playAutobahn(runner.directory, long);
  assert.ok(verdicts.size > 240, String(verdicts.size));
  const wrong = [...verdicts].filter(([, verdict]) => !isConformant(verdict));
  assert.deepEqual(wrong, []);
});
