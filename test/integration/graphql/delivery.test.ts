import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Received, subscribers } from '../../support/graphql-client.ts';
import { openProducer, sharedCluster } from '../../support/kafka.ts';
import { feedIs, runEmbedded } from '../../support/server.ts';
import { projectTopic, reader, runOnKafka } from '../acceptance/real-server.ts';

interface Taken {
  readonly id: string;
  readonly omitted: number;
}

interface Batch {
  readonly cursor: string;
  readonly events: readonly Taken[];
}

function batchesOf({ results }: Received): Batch[] {
  return results.map(({ data, errors }) => {
    assert.equal(errors, undefined);
    return Object(data).eventBatches;
  });
}

function accountedBy(batches: readonly Batch[]): number {
  const events = batches.flatMap(({ events }) => events);
  return events.reduce((sum, { omitted }) => sum + omitted + 1, 0);
}

/** Resolves when so many events were delivered or counted. */
async function accounted(received: Received, events: number): Promise<Batch[]> {
  for (let results = 1; ; results += 1) {
    await received.atLeast(results);
    const batches = batchesOf(received);
    if (accountedBy(batches) >= events) return batches;
  }
}

const count = 200;
const users = 4;

for (const [transport, subscribe] of Object.entries(subscribers)) {
  test(`${transport}: the newest of each value in batches, and on from there on another server`, async (t) => {
    const kafka = await sharedCluster();
    const topic = await projectTopic(t, kafka, 'latest');
    const producer = await openProducer(t, kafka);
    const record = (from: number): Promise<unknown> =>
      producer.send(
        topic.kafkaTopic,
        Array.from({ length: count }, (_, index) => ({
          partition: 0,
          value: JSON.stringify({ keen: { id: `e${from + index}` }, user: index % users }),
        })),
      );
    const open = async (after?: string): Promise<Received> => {
      const server = await runOnKafka(t, kafka, 'kafkajs');
      const received = subscribe(t, {
        url: server.url,
        login: reader,
        query: `subscription($topic: String!, $delivery: Delivery, $after: Cursor) {
          eventBatches(topic: $topic, order: ARRIVAL, delivery: $delivery, after: $after, maxWaitMs: 0) {
            cursor events { id omitted }
          }
        }`,
        variables: {
          topic: topic.name,
          delivery: { mode: 'LATEST', by: 'user', everyMs: 200 },
          after,
        },
      });
      await feedIs(server, topic.kafkaTopic);
      return received;
    };
    const first = await open();
    await record(0);
    const before = await accounted(first, count);
    assert.equal(accountedBy(before), count);
    assert.ok(before.every(({ events }) => events.length <= users));
    first.stop();
    await record(count);
    const second = await open(before.at(-1)?.cursor);
    await accounted(second, count);
    await record(2 * count);
    const after = await accounted(second, 2 * count);
    assert.equal(accountedBy(after), 2 * count);
    const ids = after.flatMap(({ events }) => events.map(({ id }) => id));
    assert.equal(new Set(ids).size, ids.length);
    const newest = Array.from({ length: users }, (_, user) => `e${3 * count - users + user}`);
    assert.deepEqual(ids.slice(-users), newest);
  });
}

const refused: readonly [delivery: string, message: RegExp][] = [
  ['{ mode: LATEST, by: "user.id", everyMs: 9 }', /everyMs/],
  ['{ mode: SAMPLE, everyMs: 60001 }', /everyMs/],
  ['{ mode: SAMPLE, everyMs: 12.5 }', /Int/],
  ['{ mode: NEWEST }', /NEWEST/],
  ['{ mode: null }', /DeliveryMode/],
  ['{ mode: LATEST, by: "" }', /dotted path/],
  ['{ mode: LATEST, by: 7 }', /String/],
  ['{ mode: LATEST, every: 250 }', /every/],
];

for (const name of ['events', 'eventBatches']) {
  for (const [delivery, message] of refused) {
    test(`${name}(delivery: ${delivery}) is refused, naming delivery`, async (t) => {
      const { server } = await runEmbedded(t, { topics: ['acme.purchases'] });
      const received = subscribers['graphql-ws'](t, {
        url: server.url,
        login: reader,
        query: `subscription { ${name}(topic: "purchases", delivery: ${delivery}) { cursor } }`,
      });
      const error = await received.ended;
      const [first] = [error ?? received.results[0]?.errors].flat();
      const { extensions, message: said } = Object(first);
      assert.deepEqual(extensions, { code: 'BAD_USER_INPUT', argument: 'delivery' });
      assert.match(said, message);
    });
  }
}
