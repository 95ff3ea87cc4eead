import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collect, openHub } from '../../../support/hub.ts';

for (const order of ['TIMESTAMP', 'ARRIVAL'] as const) {
  test(`${order}: an instance that has just begun knows the ids from before, and lets no copies through`, async (t) => {
    const { clock, kafka, hub, record } = openHub(t, { topics: { purchases: 2 } });
    for (const [partition, id] of ['a', 'b'].entries()) record(id, { partition });
    await clock.advance(60_000);
    await hub.close();
    const restarted = openHub(t, { topics: {}, options: { clock }, driver: () => kafka.driver() });
    const opening = restarted.events({ order });
    await clock.advance(1_000);
    const taken = collect(await opening);
    // Each in the other partition, then one that is new.
    record('a', { partition: 1 });
    record('b', { partition: 0 });
    record('c');
    await clock.advance(10_000);
    assert.deepEqual(taken.ids, ['c']);
    const [feed] = restarted.hub.registry.feeds();
    assert.ok((feed?.memory.dedup?.coveredMs ?? 0) > 50_000, 'what is covered is told');
  });
}
