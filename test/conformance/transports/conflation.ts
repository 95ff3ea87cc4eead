import assert from 'node:assert/strict';
import { feedIs } from '../../support/server.ts';
import { eventRecord } from './records.ts';
import type { Reception } from './reception.ts';
import { reader, type Scenario } from './stage.ts';
import type { Item } from './transport.ts';

const count = 40;
const users = 3;

/** A first event, and behind it many at once; of one partition, so that their order is known. */
const first = eventRecord({ id: 'first', more: { user: { id: 0 } } });
function burst() {
  return Array.from({ length: count }, (_, index) =>
    eventRecord({ id: `e${index}`, more: { user: { id: index % users } } }),
  );
}

function accountedBy(items: readonly Item[]): number {
  return items.reduce((sum, { omitted }) => sum + Number(omitted) + 1, 0);
}

/** Resolves when so many events were delivered or counted. */
async function accounted(received: Reception, events: number): Promise<readonly Item[]> {
  for (let items = 1; ; items += 1) {
    await received.atLeast(items);
    if (accountedBy(received.items) >= events) return received.items;
  }
}

export const conflations: readonly Scenario[] = [
  {
    title: 'without a delivery nothing is left out',
    async play(t, open, transport) {
      const stage = await open(t);
      const topic = await stage.createTopic('acme', 'purchases');
      const received = [{}, { delivery: { mode: 'ALL', by: 'user.id', everyMs: 60_000 } }].map(
        (given) =>
          transport.subscribe(t, stage.server.url, reader, {
            holds: 'events',
            topic: topic.name,
            arguments: { order: 'ARRIVAL', ...given },
          }),
      );
      await feedIs(stage.server, topic.kafkaTopic, { subscribers: received.length });
      await stage.record(topic, burst());
      for (const { items } of await Promise.all(
        received.map(async (one) => ({ items: await one.atLeast(count) })),
      )) {
        assert.ok(items.every(({ omitted }) => omitted === 0));
      }
    },
  },
  {
    title:
      'LATEST brings the newest of each value, counts the others, and goes on after any of them',
    async play(t, open, transport) {
      const stage = await open(t);
      const topic = await stage.createTopic('acme', 'purchases');
      const subscribe = (given: Readonly<Record<string, unknown>>): Reception =>
        transport.subscribe(t, stage.server.url, reader, {
          holds: 'events',
          topic: topic.name,
          arguments: {
            order: 'ARRIVAL',
            delivery: { mode: 'LATEST', by: 'user.id', everyMs: 300 },
            ...given,
          },
        });
      const received = subscribe({});
      await feedIs(stage.server, topic.kafkaTopic);
      await stage.record(topic, [first]);
      // At once, and so before the interval that it begins is over.
      assert.equal((await received.atLeast(1))[0]?.['id'], 'first');
      await stage.record(topic, burst());
      const items = await accounted(received, count + 1);
      assert.equal(accountedBy(items), count + 1);
      assert.ok(items.length < count, 'nothing was left out');
      const ids = items.map(({ id }) => String(id));
      const newest = Array.from({ length: users }, (_, user) => `e${count - users + user}`);
      assert.deepEqual(ids.slice(-users), newest);
      for (const at of [0, items.length - users, items.length - 2]) {
        const rest = subscribe({ after: items[at]?.['cursor'] });
        const expected = count + 1 - accountedBy(items.slice(0, at + 1));
        const taken = await accounted(rest, expected);
        assert.equal(accountedBy(taken), expected);
        assert.deepEqual(taken.at(-1)?.['id'], newest.at(-1));
      }
    },
  },
  {
    title: 'SAMPLE brings one event in an interval, and counts the others',
    async play(t, open, transport) {
      const stage = await open(t);
      const topic = await stage.createTopic('acme', 'purchases');
      const received = transport.subscribe(t, stage.server.url, reader, {
        holds: 'events',
        topic: topic.name,
        arguments: { order: 'ARRIVAL', delivery: { mode: 'SAMPLE', everyMs: 300 } },
      });
      await feedIs(stage.server, topic.kafkaTopic);
      await stage.record(topic, [first]);
      await received.atLeast(1);
      await stage.record(topic, burst());
      const items = await accounted(received, count + 1);
      assert.equal(accountedBy(items), count + 1);
      assert.ok(items.length < count, 'nothing was left out');
    },
  },
];
