import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTime } from '../../../src/auth/in-time.ts';
import { ManualClock } from '../../support/manual-clock.ts';

test('who cannot be verified in time is refused over the limit, and told to come back', async () => {
  const clock = new ManualClock();
  const never = inTime(clock, 5_000, () => new Promise(() => undefined));
  const refused = assert.rejects(never, {
    code: 'LIMIT_EXCEEDED',
    message: /^not authenticated within 5000 ms \(limits\.initTimeout\)/,
    details: { limit: 'limits.initTimeout' },
  });
  await clock.advance(5_000);
  await refused;
});

test('what is answered in time is passed on, refusals too, and no timer is left', async () => {
  const clock = new ManualClock();
  assert.equal(await inTime(clock, 5_000, async () => 'acme'), 'acme');
  const refusal = new Error('refused');
  await assert.rejects(
    inTime(clock, 5_000, () => Promise.reject(refusal)),
    refusal,
  );
  assert.equal(clock.pending, 0);
});
