import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MillraceError } from '../../../../src/core/errors.ts';
import { Allowances } from '../../../../src/transports/allowance/allowances.ts';
import { ByteBudget } from '../../../../src/transports/allowance/byte-budget.ts';
import { ManualClock, settle } from '../../../support/manual-clock.ts';

test('those who wait take turns, and together are sent no more than the rate', async () => {
  const clock = new ManualClock();
  const budget = new ByteBudget({ clock, bytesPerSecond: 10_000 });
  const written: string[] = [];
  const write = (who: string): void => {
    budget.spend(1_000);
    written.push(who);
    budget.whenRefilled(() => write(who));
  };
  assert.equal(budget.isSpent, false);
  budget.spend(5_000);
  assert.equal(budget.isSpent, true);
  for (const who of ['a', 'b', 'c']) budget.whenRefilled(() => write(who));
  await clock.advance(10_000);
  assert.ok(written.length >= 95 && written.length <= 101, String(written.length));
  assert.ok(written.every((who, index) => who === 'abc'[index % 3]));
});

test('however long many wait, one timer tells them', async () => {
  const clock = new ManualClock();
  const budget = new ByteBudget({ clock, bytesPerSecond: 10_000 });
  let told = 0;
  const write = (): void => {
    told += 1;
    budget.spend(1_000);
    budget.whenRefilled(write);
  };
  budget.spend(5_000);
  for (let who = 0; who < 3; who += 1) budget.whenRefilled(write);
  await clock.advance(10_000);
  assert.ok(told > 90, String(told));
  assert.equal(clock.pending, 1);
});

test('who has waited comes before who has not', async () => {
  const clock = new ManualClock();
  const budget = new ByteBudget({ clock, bytesPerSecond: 1_000 });
  budget.spend(1_000);
  let isTold = false;
  budget.whenRefilled(() => {
    isTold = true;
  });
  await clock.advance(499);
  // There is something again, but it is not for newcomers.
  assert.deepEqual([isTold, budget.isSpent], [false, true]);
  await clock.advance(20);
  assert.deepEqual([isTold, budget.isSpent], [true, false]);
});

test('those who have much to do before they write do not do it all in one turn of the event loop', async () => {
  const clock = new ManualClock();
  let workedMs = 0;
  const budget = new ByteBudget({
    clock: {
      now: () => clock.now() + workedMs,
      schedule: (delayMs, fire) => clock.schedule(delayMs, fire),
    },
    bytesPerSecond: 1_000_000,
  });
  budget.spend(599_500);
  let told = 0;
  for (let who = 0; who < 10; who += 1) {
    budget.whenRefilled(() => {
      told += 1;
      workedMs += 3;
    });
  }
  await clock.advance(100);
  assert.equal(told, 2);
  await clock.advance(1);
  assert.equal(told, 4);
  await clock.advance(3);
  assert.equal(told, 10);
});

test('after a long silence there is one second’s worth at the most', async () => {
  const clock = new ManualClock();
  const budget = new ByteBudget({ clock, bytesPerSecond: 1_000 });
  await clock.advance(3_600_000);
  let sent = 0;
  while (!budget.isSpent) {
    budget.spend(100);
    sent += 100;
  }
  assert.ok(sent <= 1_000, String(sent));
  assert.equal(budget.takeSentBytes(), sent);
  assert.equal(budget.takeSentBytes(), 0);
});

test('without a limit nothing is ever waited for', () => {
  const budget = new ByteBudget({ clock: new ManualClock(), bytesPerSecond: Infinity });
  budget.spend(2 ** 40);
  assert.deepEqual([budget.isSpent, budget.debtMs], [false, 0]);
});

test('answers that are more than a second’s worth too large are paid off first', async () => {
  const clock = new ManualClock();
  const allowances = new Allowances({
    clock,
    maxConnectionsPerProject: 1,
    bytesPerSecondPerProject: 1_000,
  });
  allowances.assertAffordable('acme');
  allowances.spend('acme', 2_600);
  assert.throws(
    () => allowances.assertAffordable('acme'),
    (error) =>
      error instanceof MillraceError &&
      error.code === 'LIMIT_EXCEEDED' &&
      error.details.limit === 'limits.bytesPerSecondPerProject' &&
      error.message.endsWith(' in 3 s'),
  );
  allowances.assertAffordable('globex');
  await clock.advance(1_200);
  allowances.assertAffordable('acme');
});

test('when much was made in a turn, those who wait are told in later ones', async () => {
  const clock = new ManualClock();
  const budget = new ByteBudget({ clock, bytesPerSecond: 2 ** 30 });
  const told: string[] = [];
  for (const who of ['a', 'b', 'c']) {
    budget.whenRefilled(() => {
      told.push(who);
      budget.noteMade(2 ** 23);
      assert.ok(budget.hasMadeMuch);
    });
  }
  // Timers only: what a turn has made is forgotten at its end.
  await clock.advance(10);
  assert.deepEqual(told, ['a']);
  await settle();
  assert.equal(budget.hasMadeMuch, false);
  await clock.advance(1);
  assert.deepEqual(told, ['a', 'b']);
  await clock.advance(1);
  assert.deepEqual(told, ['a', 'b', 'c']);
});
