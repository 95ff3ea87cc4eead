import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { feedIs } from '../../support/server.ts';
import { eventRecord, type EventRecord } from './records.ts';
import type { Reception } from './reception.ts';
import { type OpenStage, reader, type Scenario, type Stage, type Topic } from './stage.ts';
import type { Item, Request, Transport } from './transport.ts';

/** Kafka's default is 1,048,588 for a batch, some of which its framing takes. */
const largestRecordBytes = 1_048_500;

export const deliveries: readonly Scenario[] = [
  {
    title: 'events come in the order of their own time, each once, with late ones flagged',
    async play(t, open, transport) {
      const { stage, topic, received } = await subscribed(t, open, transport);
      const nowMs = Date.now();
      await stage.record(topic, [
        eventRecord({ id: 'c', partition: 0, agoMs: 20 }, nowMs),
        eventRecord({ id: 'a', partition: 1, agoMs: 60 }, nowMs),
        eventRecord({ id: 'b', partition: 2, agoMs: 40 }, nowMs),
        eventRecord({ id: 'a', partition: 2, agoMs: 60 }, nowMs),
      ]);
      await received.atLeast(3);
      await stage.record(topic, [eventRecord({ id: 'late', agoMs: 60_000 })]);
      await received.atLeast(4);
      await stage.record(topic, [eventRecord({ id: 'a' }), eventRecord({ id: 'd' })]);
      await received.atLeast(5);
      assert.deepEqual(column(received, 'id'), ['a', 'b', 'c', 'late', 'd']);
      assert.deepEqual(column(received, 'late'), [false, false, false, true, false]);
    },
  },
  {
    title: 'order and deduplicate are what is asked for',
    async play(t, open, transport) {
      const { stage, topic, received } = await subscribed(t, open, transport, {
        arguments: { order: 'ARRIVAL', deduplicate: false },
      });
      const records = [
        eventRecord({ id: 'b', agoMs: 10 }),
        eventRecord({ id: 'a', agoMs: 20 }),
        eventRecord({ id: 'b', agoMs: 10 }),
      ];
      await stage.record(topic, records);
      await received.atLeast(3);
      assert.deepEqual(column(received, 'id'), ['b', 'a', 'b']);
    },
  },
  {
    title: 'order SEQUENCE goes by the sender’s number',
    async play(t, open, transport) {
      const { stage, topic, received } = await subscribed(t, open, transport, {
        arguments: { order: 'SEQUENCE' },
      });
      await stage.record(topic, [at(1, 0)]);
      await received.atLeast(1);
      await stage.record(topic, [at(3, 0), at(2, 1), at(4, 2), at(2, 2)]);
      await received.atLeast(4);
      assert.deepEqual(column(received, 'sequence'), ['1', '2', '3', '4']);
    },
  },
  {
    title: 'filters choose by properties',
    async play(t, open, transport) {
      const { stage, topic, received } = await subscribed(t, open, transport, {
        arguments: {
          order: 'ARRIVAL',
          where: [
            { property: 'user.name', operator: 'STARTS_WITH', value: 'Zoë & ' },
            { property: 'total', operator: 'GT', value: 10 },
          ],
        },
      });
      await stage.record(topic, [
        by('another', 'Bob', 11),
        by('few', 'Zoë & Bob', 10),
        by('yes', 'Zoë & Bob', 11),
      ]);
      await received.atLeast(1);
      assert.deepEqual(column(received, 'id'), ['yes']);
    },
  },
  {
    title: 'since starts in the past, in order and without duplicates',
    async play(t, open, transport) {
      const stage = await open(t);
      const topic = await stage.createTopic('acme', 'purchases');
      const startMs = Date.now() - 60_000;
      const records = Array.from({ length: 120 }, (_, index) => ({
        ...eventRecord({ id: `e${index}`, partition: index % 3 }, startMs + index * 100),
        timestampMs: startMs + index * 100,
      }));
      await stage.record(topic, [...records, ...records.slice(100)]);
      const since = new Date(startMs + 2_000).toISOString();
      const received = transport.subscribe(t, stage.server.url, reader, {
        holds: 'events',
        topic: topic.name,
        arguments: { since },
      });
      await received.atLeast(100);
      const ids = Array.from({ length: 100 }, (_, index) => `e${index + 20}`);
      assert.deepEqual(column(received, 'id'), ids);
      assert.ok(column(received, 'late').every((late) => late === false));
    },
  },
  {
    title: 'who comes back with a cursor goes on exactly there, from events and from dead letters',
    async play(t, open, transport) {
      const { stage, topic, received } = await subscribed(t, open, transport);
      const upstreamTopic = await stage.createDeadLetterTopic(topic);
      const again = (
        holds: Request['holds'],
        given: Readonly<Record<string, unknown>>,
      ): Reception =>
        transport.subscribe(t, stage.server.url, reader, {
          holds,
          topic: topic.name,
          arguments: given,
        });
      const first = again('deadLetters', {});
      await feedIs(stage.server, upstreamTopic.kafkaTopic);
      await feedIs(stage.server, topic.kafkaTopic, { subscribers: 2 });
      const count = 30;
      const nowMs = Date.now();
      const records = Array.from({ length: count }, (_, index) => ({
        events: eventRecord({ id: `e${index}`, partition: index % 3, agoMs: count - index }, nowMs),
        letters: { partition: index % 3, value: JSON.stringify({ event: `${index}`, error: 'e' }) },
      }));
      await stage.record(
        topic,
        records.map(({ events }) => events),
      );
      await stage.record(
        upstreamTopic,
        records.map(({ letters }) => letters),
      );
      for (const [holds, all] of [
        ['events', await received.atLeast(count)],
        ['deadLetters', await first.atLeast(count)],
      ] as const) {
        for (const at of [0, 17, count - 2]) {
          const rest = again(holds, { after: all[at]?.['cursor'] });
          await rest.atLeast(count - 1 - at);
          assert.deepEqual(byPlace(rest.items), byPlace(all.slice(at + 1)));
        }
      }
    },
  },
  {
    title: 'dead letters come from the dead-letter topic and from what cannot be decoded',
    async play(t, open, transport) {
      const stage = await open(t);
      const topic = await stage.createTopic('acme', 'purchases');
      const upstreamTopic = await stage.createDeadLetterTopic(topic);
      const received = transport.subscribe(t, stage.server.url, reader, {
        holds: 'deadLetters',
        topic: topic.name,
        arguments: {},
      });
      await feedIs(stage.server, topic.kafkaTopic);
      await feedIs(stage.server, upstreamTopic.kafkaTopic);
      // Never parsed, and never repaired.
      const event = '{"a":\n"\u2028😀", "b": 01';
      const upstreamValue = JSON.stringify({ event, error: 'Unexpected number' });
      await stage.record(upstreamTopic, [
        { partition: 1, value: upstreamValue, timestampMs: 1_700_000_000_123 },
      ]);
      await received.atLeast(1);
      await stage.record(topic, [{ partition: 2, value: '{"broken"' }]);
      const [upstream, bridge] = await received.atLeast(2);
      const place = { topic: topic.name, offset: '0' };
      const { cursor, ...ofUpstream } = Object(upstream);
      assert.match(cursor, /^[\w-]+$/);
      assert.deepEqual(ofUpstream, {
        ...place,
        event,
        error: 'Unexpected number',
        source: 'UPSTREAM',
        partition: 1,
        recordedAt: '2023-11-14T22:13:20.123Z',
      });
      const { error, recordedAt, cursor: next, ...rest } = Object(bridge);
      assert.notEqual(next, cursor);
      assert.deepEqual(rest, { ...place, event: '{"broken"', source: 'BRIDGE', partition: 2 });
      assert.match(error, /not valid JSON/);
      assert.match(recordedAt, /Z$/);
    },
  },
  {
    title: 'a payload passes unchanged, whatever it holds',
    async play(t, open, transport) {
      const { stage, topic, received } = await subscribed(t, open, transport, {
        topic: '$my collection$ %/ü😀',
        arguments: { order: 'ARRIVAL' },
      });
      const payloads = [
        '{ "keen" : {"id":"a\\ud83d\\u0022","timestamp":"2026-11-23T17:00:00.123456"},\r\n\t"sequence_number": 9007199254740993,\n "number": 12345678901234567890, "price": 1.10 }',
        '{"text":"line\\nbreak, \u2028 \u2029 😀 \\ud800 \\u0000 é","__proto__":{"a":1},"a":1,"a":2}',
        '{"data: x":"event: error\\n\\ndata: {}","deep":[[[{"":{}}]]],"e":1e400}',
      ];
      await stage.record(
        topic,
        payloads.map((value) => ({ partition: 1, value })),
      );
      await received.atLeast(payloads.length);
      const expected = transport.isLineBased
        ? payloads.map((payload) => payload.replaceAll(/[\r\n]/g, ' '))
        : payloads;
      assert.deepEqual(column(received, 'payload'), expected);
      const [first] = received.items;
      assert.equal(first?.['id'], 'a\ud83d"');
      assert.equal(first?.['topic'], topic.name);
      assert.equal(first?.['timestamp'], '2026-11-23T17:00:00.123456Z');
      assert.equal(first?.['sequence'], '9007199254740993');
      assert.deepEqual(column(received, 'offset'), ['0', '1', '2']);
      assert.equal(first?.['partition'], 1);
    },
  },
  {
    title: 'events as large as Kafka takes them pass',
    async play(t, open, transport) {
      const { stage, topic, received } = await subscribed(t, open, transport, {
        arguments: { order: 'ARRIVAL' },
      });
      const bare = eventRecord({ id: 'large', more: { filler: '' } }).value.length;
      const large = eventRecord({
        id: 'large',
        more: { filler: 'x'.repeat(largestRecordBytes - bare) },
      });
      await stage.record(topic, [large]);
      await stage.record(topic, [eventRecord({ id: 'small' })]);
      const [first, second] = await received.atLeast(2);
      // Not `equal`, which would print them.
      assert.ok(first?.['payload'] === large.value);
      assert.equal(second?.['id'], 'small');
    },
  },
];

function at(sequence: number, partition: number): EventRecord {
  return eventRecord({ id: `e${sequence}`, sequence, partition });
}

function by(id: string, name: string, total: number): EventRecord {
  return eventRecord({ id, more: { user: { name }, total } });
}

/** Dead letters are in the order of each partition only. */
function byPlace(items: readonly Item[]): unknown[] {
  return items
    .map(({ partition, offset, payload, event }) => ({ partition, offset, payload, event }))
    .toSorted((a, b) =>
      a.partition === b.partition
        ? Number(a.offset) - Number(b.offset)
        : Number(a.partition) - Number(b.partition),
    );
}

async function subscribed(
  t: TestContext,
  open: OpenStage,
  transport: Transport,
  { topic: name = 'purchases', ...more }: Partial<Request> = {},
): Promise<{ stage: Stage; topic: Topic; received: Reception }> {
  const stage = await open(t);
  const topic = await stage.createTopic('acme', name);
  const received = transport.subscribe(t, stage.server.url, reader, {
    holds: 'events',
    topic: topic.name,
    arguments: {},
    ...more,
  });
  await feedIs(stage.server, topic.kafkaTopic);
  return { stage, topic, received };
}

function column({ items }: Reception, name: string): unknown[] {
  return items.map((item) => item[name]);
}
