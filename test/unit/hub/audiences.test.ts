import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collect, openHub, settled } from '../../support/hub.ts';

/** All lead to the one Kafka topic. */
const names = ['a_b', 'a b', 'a!b', 'a?b'];

test('names of a topic that somebody came back under are not kept when it has left', async (t) => {
  const { clock, kafka, hub, events } = openHub(t, { topics: { a_b: 1 } });
  const order = 'ARRIVAL';
  const live = collect(await settled(events({ topic: 'a_b', order })));
  for (let each = 0; each < 600; each += 1) {
    kafka.append('a_b', { value: JSON.stringify({ id: `${each}` }) });
  }
  await clock.advance(2_000);
  const [after] = live.cursors;
  assert.ok(after);
  for (const topic of names) {
    // It takes nothing, so it leaves before it has come to the live stream.
    const left = await settled(events({ topic, order, after }));
    assert.ok(left.queuedBytes > 0);
    await left.return();
  }
  const [feed] = hub.registry.feeds();
  assert.equal(feed?.stream({ order, deduplicate: true })?.audiences, 1);
});
