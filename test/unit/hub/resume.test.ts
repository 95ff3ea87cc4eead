import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { EventMessage } from '../../../src/hub/message.ts';
import type { Subscription } from '../../../src/hub/subscription.ts';
import type { EventOrder } from '../../../src/sequence/order.ts';
import { Dice } from '../../model/dice.ts';
import { openHub } from '../../support/hub.ts';

const byText = (a: string, b: string): number => (a < b ? -1 : 1);

/** Two instances over one log. */
function openInstances(t: TestContext, partitions: number, historyBytes: number) {
  const options = { historyBytes, maxQueuedBytes: 20_000 };
  const first = openHub(t, { topics: { purchases: partitions }, options });
  const { clock, kafka } = first;
  const second = openHub(t, {
    topics: {},
    options: { ...options, clock },
    driver: () => kafka.driver(),
  });
  return { clock, kafka, instances: [first, second] as const };
}

/** A client that takes messages for a while, and remembers the cursor of the last. */
async function take(
  subscription: Subscription<EventMessage>,
  into: EventMessage[],
  isEnough: () => boolean,
): Promise<void> {
  for await (const batch of subscription) {
    into.push(...batch);
    if (isEnough()) break;
  }
}

for (const order of ['TIMESTAMP', 'SEQUENCE', 'ARRIVAL'] satisfies EventOrder[]) {
  for (const [what, historyBytes] of [
    ['from memory', 2 ** 24],
    ['from the log', 1],
  ] as const) {
    test(`${order}, ${what}: who stops anywhere goes on exactly there, on any instance`, async (t) => {
      const dice = new Dice(order.length + historyBytes);
      const { clock, kafka, instances } = openInstances(t, 3, historyBytes);
      let [recorded, sequence] = [0, 0];
      const ids: string[] = [];
      const recordSome = (count: number): void => {
        for (let each = 0; each < count; each += 1) {
          const isCopy = ids.length > 0 && dice.oneIn(6);
          const id = isCopy ? (ids[dice.below(ids.length)] ?? '') : `event ${recorded}`;
          if (!isCopy) ids.push(id);
          recorded += 1;
          sequence += 1;
          const at = new Date(clock.now() - dice.below(1_500)).toISOString();
          const n = Math.max(0, sequence - dice.below(5));
          kafka.append('purchases', {
            partition: dice.below(3),
            value: JSON.stringify({ id, at, n, pad: 'x'.repeat(200) }),
          });
        }
      };
      const accepted = instances[0].events({ order });
      await clock.advance(100);
      let subscription = await accepted;
      // Somebody keeps the other instance's stream alive.
      const other = instances[1].events({ order });
      await clock.advance(100);
      t.after(async () => (await other).return());
      const taken: EventMessage[] = [];
      let resumes = 0;
      // Without a first message there is no cursor.
      recordSome(3);
      const first = take(subscription, taken, () => true);
      await clock.advance(10_000);
      await first;
      const again = instances[0].events({ order, after: taken.at(-1)?.cursor });
      await clock.advance(1_000);
      subscription = await again;
      for (let round = 0; round < 25; round += 1) {
        recordSome(dice.below(60));
        const enough = taken.length + 1 + dice.below(30);
        const done = take(subscription, taken, () => taken.length >= enough);
        await clock.advance(1_000 + dice.below(3_000));
        await subscription.return();
        await done;
        recordSome(dice.below(40));
        await clock.advance(dice.below(2_000));
        const after = taken.at(-1)?.cursor;
        const instance = instances[dice.below(2)];
        if (instance === undefined) throw new Error('no instance');
        const resumed = instance.events(after === undefined ? { order } : { order, after });
        await clock.advance(2_500);
        subscription = await resumed;
        resumes += 1;
      }
      const done = take(subscription, taken, () => false);
      await clock.advance(20_000);
      await subscription.return();
      await done;
      assert.equal(resumes, 25);
      const got = taken.map(({ event }) => String(event.id));
      assert.deepEqual(got.toSorted(byText), ids.toSorted(byText));
      if (order !== 'TIMESTAMP') return;
      const inTime = taken.filter(({ late }) => !late).map(({ event }) => event.timestampUs);
      assert.deepEqual(
        inTime,
        inTime.toSorted((a, b) => a - b),
      );
    });
  }
}
