import assert from 'node:assert/strict';
import { feedIs, testConfig } from '../../support/server.ts';
import { assertEnding } from './refusals.ts';
import { eventRecord } from './records.ts';
import { reader, type Scenario } from './stage.ts';
import type { Request } from './transport.ts';

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
    title:
      'a client that takes nothing holds up nobody, and misses nothing when it takes something again',
    async play(t, open, transport) {
      const stage = await open(t, { MILLRACE_LIMITS_OUTBOUND_BYTES_PER_CONNECTION: '1MiB' });
      const topic = await stage.createTopic('acme', 'purchases');
      const { url } = stage.server;
      const slow = transport.subscribe(t, url, reader, arrival(topic.name));
      const fast = transport.subscribe(t, url, reader, arrival(topic.name));
      await feedIs(stage.server, topic.kafkaTopic, { subscribers: 2 });
      await stage.record(topic, [eventRecord({ id: 'first' })]);
      await slow.atLeast(1);
      slow.stall();
      const filler = 'x'.repeat(flood.bytes);
      let sent = 1;
      for (let round = 0; round < flood.rounds; round += 1) {
        const records = Array.from({ length: flood.eventsPerRound }, (_, index) =>
          eventRecord({ id: `${round}.${index}`, more: { filler } }),
        );
        await stage.record(topic, records);
        sent += records.length;
        await fast.atLeast(sent);
      }
      slow.resume();
      await slow.atLeast(sent);
      const [slowIds, fastIds] = [slow, fast].map(({ items }) => items.map(({ id }) => id));
      assert.equal(new Set(fastIds).size, sent);
      assert.deepEqual(new Set(slowIds), new Set(fastIds));
      assert.equal(slowIds?.length, sent);
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
      else assert.equal(closeCode, 1001);
    },
  },
];

function arrival(topic: string): Request {
  return { holds: 'events', topic, arguments: { order: 'ARRIVAL' } };
}
