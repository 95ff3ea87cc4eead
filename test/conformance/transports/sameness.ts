import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { feedIs } from '../../support/server.ts';
import { eventRecord } from './records.ts';
import { type OpenStage, reader } from './stage.ts';
import type { Item, Transport } from './transport.ts';

/** Of one partition each in turn: out of order by up to 100 ms, each third one a second time. */
function burst(count: number) {
  const nowMs = Date.now();
  return Array.from({ length: count }, (_, index) => index).flatMap((index) => {
    const record = eventRecord(
      {
        id: `e${index}`,
        partition: index % 3,
        agoMs: (index * 37) % 100,
        sequence: index,
        more: { user: { id: index % 2 }, big: '😀'.repeat(index) },
      },
      nowMs,
    );
    return index % 3 === 0 ? [record, { ...record, partition: (index + 1) % 3 }] : [record];
  });
}

/** Subscribers over all transports, for each of several requests, get the very same of one burst. */
export async function sameOverAll(
  t: TestContext,
  open: OpenStage,
  transports: readonly Transport[],
): Promise<void> {
  const stage = await open(t);
  const topic = await stage.createTopic('acme', 'purchases');
  const count = 60;
  const requests = [
    { arguments: {}, items: count },
    { arguments: { order: 'SEQUENCE' }, items: count },
    { arguments: { order: 'ARRIVAL', deduplicate: false }, items: burst(count).length },
    { arguments: { where: [{ property: 'user.id', value: 1 }] }, items: count / 2 },
  ];
  const groups = requests.map(({ arguments: given, items }) => ({
    items,
    given,
    members: transports.map((transport) => ({
      transport,
      received: transport.subscribe(t, stage.server.url, reader, {
        holds: 'events',
        topic: topic.name,
        arguments: given,
      }),
    })),
  }));
  await feedIs(stage.server, topic.kafkaTopic, {
    subscribers: requests.length * transports.length,
  });
  await stage.record(topic, burst(count));
  for (const { given, items, members } of groups) {
    const all: (readonly Item[])[] = [];
    for (const { received } of members) all.push(await received.atLeast(items));
    const [first] = all;
    assert.equal(first?.length, items);
    for (const [index, others] of all.entries()) {
      const name = members[index]?.transport.name;
      assert.deepEqual(others, first, `${name}, ${JSON.stringify(given)}`);
    }
  }
}
