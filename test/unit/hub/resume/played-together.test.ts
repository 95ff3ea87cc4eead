import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventMessage } from '../../../../src/hub/message.ts';
import type { Parcel } from '../../../../src/hub/parcel.ts';
import type { Subscriber } from '../../../../src/hub/subscriber.ts';
import type { Subscription } from '../../../../src/hub/subscription.ts';
import { openHub } from '../../../support/hub.ts';

/** One that takes everything at once. */
class Collector implements Subscriber<EventMessage> {
  readonly transport = 'feed-ws';
  readonly backlogBytes = 0;
  readonly parcels: Parcel<EventMessage>[] = [];

  constructor(subscription: Subscription<EventMessage>) {
    subscription.attach(this);
  }

  get ids(): (string | null)[] {
    return this.parcels.flatMap(({ items }) => items.map(({ event }) => event.id));
  }

  deliver(parcel: Parcel<EventMessage>): void {
    if (parcel.items.length > 0) this.parcels.push(parcel);
  }

  whenTaken(taken: () => void): void {
    queueMicrotask(taken);
  }

  end(error: Error | undefined): void {
    if (error !== undefined) throw error;
  }
}

test('those who come back at different places get the same parcels once they meet', async (t) => {
  const { clock, kafka, hub, principal, events } = openHub(t, {
    topics: { purchases: 1 },
    options: { historyBytes: 2 ** 24 },
    settings: { order: 'ARRIVAL' },
  });
  const open = async (after?: string): Promise<Collector> => {
    const opening = events(after === undefined ? {} : { after });
    await clock.advance(100);
    return new Collector(await opening);
  };
  const first = await open();
  const all = Array.from({ length: 3_000 }, (_, n) => `event ${n}`);
  for (const id of all) {
    const at = new Date(clock.now()).toISOString();
    kafka.append('purchases', { partition: 0, value: JSON.stringify({ id, at }) });
  }
  await clock.advance(5_000);
  assert.deepEqual(first.ids, all);
  const messages = first.parcels.flatMap(({ items }) => items);
  const [early, later] = await Promise.all([
    open(messages[10]?.cursor),
    open(messages[700]?.cursor),
  ]);
  await clock.advance(1_000);
  assert.deepEqual(early.ids, all.slice(11));
  assert.deepEqual(later.ids, all.slice(701));
  const shared = later.parcels.filter((parcel) => early.parcels.includes(parcel));
  const together = shared.reduce((sum, { items }) => sum + items.length, 0);
  assert.ok(together >= 3_000 - 700 - 512, `${together} events in shared parcels`);
  const [feed] = hub.registry.feeds();
  assert.ok(feed);
  const { played } = feed.useStream({ order: 'ARRIVAL', deduplicate: true });
  assert.equal(played.events.bytes, 0, 'nothing is kept when all have come to the end');
  assert.equal(principal.retained, 3);
});
