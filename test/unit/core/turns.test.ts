import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { test } from 'node:test';
import { Turns } from '../../../src/core/turns.ts';

test('one has its turn at a time, in the order in which they asked, and others come between', async () => {
  const turns = new Turns();
  const order: string[] = [];
  const take = async (who: string): Promise<void> => {
    for (let round = 0; round < 2; round += 1) {
      await turns.next();
      order.push(who);
    }
  };
  const all = Promise.all(['a', 'b', 'c'].map(take));
  while (order.filter((who) => who !== '-').length < 6) {
    await setImmediate();
    order.push('-');
  }
  await all;
  assert.equal(order.filter((who) => who !== '-').join(''), 'abcabc');
  assert.doesNotMatch(order.join(''), /[abc]{2}/);
});
