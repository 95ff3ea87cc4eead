import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { feedIs, testConfig } from '../../support/server.ts';
import { assertEnding } from './refusals.ts';
import type { Reception } from './reception.ts';
import { eventRecord, type EventRecord } from './records.ts';
import { type OpenStage, reader, type Scenario } from './stage.ts';
import type { Request, Transport } from './transport.ts';

/** More than the buffers of the system take for a client that does not read. */
const flood = { rounds: 150, eventsPerRound: 4, bytes: 60_000 } as const;

export const endings: readonly Scenario[] = [
  {
    title: 'a revoked key ends its subscription, and nobody else’s',
    async play(t, open, transport) {
      const stage = await open(t);
      const topic = await stage.createTopic('acme', 'purchases');
      const { url } = stage.server;
      const request = arrival(topic.name);
      const revoked = transport.subscribe(t, url, reader, request);
      const kept = transport.subscribe(t, url, { ...reader, key: 'acme-master' }, request);
      await feedIs(stage.server, topic.kafkaTopic, { subscribers: 2 });
      const projects = testConfig().auth.projects.map(({ id, keys }) => ({
        id,
        keys: keys.filter(({ name }) => name !== 'read'),
      }));
      stage.server.updateProjects(projects);
      const ending = await revoked.ended;
      assertEnding(ending, 'UNAUTHENTICATED');
      assert.match(ending.message, /revoked/);
      await stage.record(topic, [eventRecord({ id: 'after' })]);
      const [after] = await kept.atLeast(1);
      assert.equal(after?.['id'], 'after');
      assert.deepEqual(revoked.items, []);
    },
  },
  {
    title: 'a slow client loses nothing, and the others go on',
    async play(t, open, transport) {
      const { slow, fast, sent } = await flooded(t, open, transport, 'events', (id) =>
        eventRecord({ id, more: { filler: 'x'.repeat(flood.bytes) } }),
      );
      await slow.atLeast(sent);
      assert.equal(fast.items.length, sent);
      assert.ok(slow.items.every(({ id }, index) => id === fast.items[index]?.['id']));
    },
  },
  {
    title: 'a slow client loses none of its dead letters, and the others go on',
    async play(t, open, transport) {
      const { slow, fast, sent } = await flooded(t, open, transport, 'deadLetters', (id) => ({
        partition: 0,
        value: `{ "id": "${id}", broken ${'x'.repeat(flood.bytes)}`,
      }));
      await slow.atLeast(sent);
      assert.equal(fast.items.length, sent);
      assert.ok(slow.items.every(({ event }, index) => event === fast.items[index]?.['event']));
    },
  },
  {
    title: 'a server that stops says so',
    async play(t, open, transport) {
      const stage = await open(t);
      const topic = await stage.createTopic('acme', 'purchases');
      const received = transport.subscribe(t, stage.server.url, reader, arrival(topic.name));
      await feedIs(stage.server, topic.kafkaTopic);
      await stage.record(topic, [eventRecord({ id: 'last' })]);
      await received.atLeast(1);
      await stage.server.close();
      const { code, closeCode, message } = await received.ended;
      assert.equal(code, undefined);
      if (closeCode === undefined) assert.equal(message, 'the stream ended');
      else assert.equal(closeCode, 1012);
    },
  },
];

/** Two subscribers, one of whom takes nothing while much is recorded, and then goes on. */
async function flooded(
  t: TestContext,
  open: OpenStage,
  transport: Transport,
  holds: Request['holds'],
  recordOf: (id: string) => EventRecord,
): Promise<{ slow: Reception; fast: Reception; sent: number }> {
  const stage = await open(t, { MILLRACE_LIMITS_OUTBOUND_BYTES_PER_CONNECTION: '2MB' });
  const topic = await stage.createTopic('acme', 'purchases');
  const { url } = stage.server;
  const request =
    holds === 'events' ? arrival(topic.name) : { ...arrival(topic.name), holds, arguments: {} };
  const slow = transport.subscribe(t, url, reader, request);
  const fast = transport.subscribe(t, url, reader, request);
  await feedIs(stage.server, topic.kafkaTopic, { subscribers: 2 });
  await stage.record(topic, [recordOf('first')]);
  await slow.atLeast(1);
  slow.stall();
  let sent = 1;
  for (let round = 0; round < flood.rounds; round += 1) {
    const ids = Array.from({ length: flood.eventsPerRound }, (_, index) => `${round}.${index}`);
    await stage.record(topic, ids.map(recordOf));
    sent += ids.length;
    await fast.atLeast(sent);
  }
  slow.resume();
  return { slow, fast, sent };
}

function arrival(topic: string): Request {
  return { holds: 'events', topic, arguments: { order: 'ARRIVAL' } };
}
