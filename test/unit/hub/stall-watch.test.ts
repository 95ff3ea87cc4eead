import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StallWatch } from '../../../src/hub/stall-watch.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function watch({ maxStallMs = 8_000, onLook = (): void => undefined } = {}) {
  const clock = new ManualClock();
  const seen = { looks: 0, isNeeded: true };
  const stallWatch = new StallWatch({
    clock,
    maxStallMs,
    isNeeded: () => seen.isNeeded,
    look: () => {
      seen.looks += 1;
      onLook();
    },
  });
  return { clock, seen, stallWatch };
}

test('it looks each second while it is needed', async () => {
  const { clock, seen, stallWatch } = watch();
  stallWatch.restart();
  await clock.advance(3_500);
  assert.equal(seen.looks, 3);
  seen.isNeeded = false;
  await clock.advance(5_000);
  assert.equal(seen.looks, 4);
});

test('it looks four times while a partition may stall', async () => {
  const { clock, seen, stallWatch } = watch({ maxStallMs: 400 });
  stallWatch.restart();
  await clock.advance(400);
  assert.equal(seen.looks, 4);
});

test('while answers come it does not look', async () => {
  const { clock, seen, stallWatch } = watch();
  for (let answer = 0; answer < 5; answer += 1) {
    stallWatch.restart();
    await clock.advance(900);
  }
  assert.equal(seen.looks, 0);
});

test('it is at rest while it is not needed, and when stopped', async () => {
  const { clock, seen, stallWatch } = watch();
  seen.isNeeded = false;
  stallWatch.restart();
  seen.isNeeded = true;
  await clock.advance(5_000);
  stallWatch.restart();
  stallWatch.stop();
  await clock.advance(5_000);
  assert.equal(seen.looks, 0);
});

test('what a look leads to may end the need for it', async () => {
  const state = watch({ onLook: () => (state.seen.isNeeded = false) });
  state.stallWatch.restart();
  await state.clock.advance(5_000);
  assert.equal(state.seen.looks, 1);
});
