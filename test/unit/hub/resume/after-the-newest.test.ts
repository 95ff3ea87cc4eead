import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collect, openHub } from '../../../support/hub.ts';

for (const [what, agoMs] of [
  ['a while ago', 60_000],
  ['just now', 0],
] as const) {
  test(`after the newest events, recorded ${what}, several at once get what follows and nothing else`, async (t) => {
    const { clock, hub, principal, record, events } = openHub(t, { topics: { purchases: 2 } });
    for (const [partition, id] of ['a', 'b'].entries()) record(id, { partition });
    await clock.advance(agoMs);
    const newest = hub.newestEvents(principal, 'purchases', 10, []);
    await clock.advance(1_000);
    const after = (await newest).at(-1)?.cursor;
    assert.ok(after);
    record('c');
    await clock.advance(10);
    const opening = [events({ after }), events({ after }), events({ after, order: 'TIMESTAMP' })];
    await clock.advance(5_000);
    const clients = (await Promise.all(opening)).map((subscription) => collect(subscription));
    record('d', { partition: 1 });
    await clock.advance(10_000);
    assert.deepEqual(
      clients.map(({ ids }) => ids),
      [
        ['c', 'd'],
        ['c', 'd'],
        ['c', 'd'],
      ],
    );
  });
}
