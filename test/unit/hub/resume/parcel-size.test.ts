import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EventBatch, EventMessage, Message } from '../../../../src/hub/message.ts';
import type { Parcel } from '../../../../src/hub/parcel.ts';
import type { Subscription } from '../../../../src/hub/subscription.ts';
import { collect, openHub } from '../../../support/hub.ts';

const MiB = 2 ** 20;
const count = 60;
const eventBytes = 100_000;

/** What a subscriber is given that takes everything, later. */
function parcelsOf<Item extends Message>(subscription: Subscription<Item>): Parcel<Item>[] {
  const parcels: Parcel<Item>[] = [];
  subscription.attach({
    backlogBytes: 0,
    deliver: (parcel) => parcels.push(parcel),
    whenTaken: (taken) => setImmediate(taken),
    end: () => undefined,
  });
  return parcels;
}

test('who comes back is given no more at a time than a slow client may leave waiting, however large events are', async (t) => {
  const options = {
    historyBytes: 256 * MiB,
    keeping: { maxValues: 1_000, maxBytes: 16 * MiB, maxBatchBytes: MiB },
  };
  const { clock, events, hub, principal, record } = openHub(t, {
    topics: { purchases: 1 },
    settings: { maxHeldBytes: 64 * MiB },
    options,
  });
  const first = events({ order: 'ARRIVAL' });
  await clock.advance(100);
  const live = collect(await first);
  record('before');
  await clock.advance(1_000);
  const [after] = live.cursors;
  const ids = Array.from({ length: count }, (_, index) => `e${index}`);
  for (const id of ids) record(id, { pad: 'x'.repeat(eventBytes) });
  await clock.advance(1_000);
  assert.equal(live.ids.length, count + 1);

  const request = {
    topic: 'purchases',
    order: 'ARRIVAL',
    deduplicate: true,
    where: [],
    after,
  } as const;
  const [single, batched] = [
    hub.events(principal, request),
    hub.eventBatches(principal, { ...request, batching: { maxEvents: 10_000, maxWaitMs: 100 } }),
  ];
  await clock.advance(10);
  const parcels: Parcel<EventMessage>[] = parcelsOf(await single);
  const batches: Parcel<EventBatch>[] = parcelsOf(await batched);
  await clock.advance(1_000);
  assert.deepEqual(
    parcels.flatMap(({ items }) => items.map(({ event }) => event.id)),
    ids,
  );
  const inBatches = batches.flatMap(({ items }) => items).filter(({ events }) => events.length > 0);
  assert.deepEqual(
    inBatches.flatMap(({ events }) => events.map(({ event }) => event.id)),
    ids,
  );
  const most = MiB + 2 * eventBytes;
  for (const { size } of [...parcels, ...batches, ...inBatches]) assert.ok(size < most, `${size}`);
});
