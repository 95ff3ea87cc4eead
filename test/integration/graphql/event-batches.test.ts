import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Received, subscribers } from '../../support/graphql-client.ts';
import { openProducer, sharedCluster } from '../../support/kafka.ts';
import { feedIs, runEmbedded } from '../../support/server.ts';
import { projectTopic, reader, runOnKafka } from '../acceptance/real-server.ts';

interface Batch {
  readonly watermark: string | null;
  readonly events: readonly { readonly id: string }[];
}

function batchesOf({ results }: Received): Batch[] {
  return results.map(({ data, errors }) => {
    assert.equal(errors, undefined);
    return Object(data).eventBatches;
  });
}

const idsOf = (batches: readonly Batch[]): string[][] =>
  batches.map(({ events }) => events.map(({ id }) => id));

for (const [transport, subscribe] of Object.entries(subscribers)) {
  /** A subscription in batches to a topic of one partition on a real Kafka, and a way to record events. */
  const open = async (t: TestContext, variables: Record<string, unknown>) => {
    const kafka = await sharedCluster();
    const topic = await projectTopic(t, kafka, 'batches');
    const producer = await openProducer(t, kafka);
    const server = await runOnKafka(t, kafka, 'kafkajs');
    const received = subscribe(t, {
      url: server.url,
      login: reader,
      query: `subscription($topic: String!, $order: EventOrder, $where: [PropertyFilter!],
        $maxEvents: Int, $maxWaitMs: Int) {
        eventBatches(topic: $topic, order: $order, where: $where,
          maxEvents: $maxEvents, maxWaitMs: $maxWaitMs) { watermark events { id } }
      }`,
      variables: { topic: topic.name, order: 'ARRIVAL', ...variables },
    });
    await feedIs(server, topic.kafkaTopic);
    const record = async (...ids: readonly string[]): Promise<void> => {
      const timestamp = new Date().toISOString();
      const records = ids.map((id) => ({
        partition: 0,
        value: JSON.stringify({ keen: { id, timestamp }, kind: id.slice(0, 1) }),
      }));
      await producer.send(topic.kafkaTopic, records);
    };
    return { received, record };
  };

  test(`${transport}: a batch comes when it is full, in order, and waits otherwise`, async (t) => {
    const { received, record } = await open(t, { maxEvents: 2, maxWaitMs: 60_000 });
    await record('1', '2', '3', '4', '5');
    await received.atLeast(2);
    await record('6');
    await received.atLeast(3);
    const batches = batchesOf(received);
    assert.deepEqual(idsOf(batches), [
      ['1', '2'],
      ['3', '4'],
      ['5', '6'],
    ]);
    assert.ok(batches.every(({ watermark }) => watermark === null));
  });

  test(`${transport}: a batch that is not full comes after its wait`, async (t) => {
    const { received, record } = await open(t, { maxEvents: 10_000, maxWaitMs: 1 });
    await record('1');
    await received.atLeast(1);
    await record('2');
    await received.atLeast(2);
    assert.deepEqual(idsOf(batchesOf(received)), [['1'], ['2']]);
  });

  test(`${transport}: batches hold what passes the filter, and say how far time has come`, async (t) => {
    const where = [{ property: 'kind', operator: 'IN', value: ['a', 'c'] }];
    const before = Date.now();
    const { received, record } = await open(t, { order: 'TIMESTAMP', where, maxEvents: 3 });
    await record('a1', 'b1', 'c1', 'b2', 'a2', 'b3');
    await received.atLeast(1);
    const [batch, ...others] = batchesOf(received);
    assert.deepEqual(batch?.events.map(({ id }) => id).toSorted(), ['a1', 'a2', 'c1']);
    assert.deepEqual(others, []);
    // As of the last release before it, if there was one.
    const { watermark } = batch;
    assert.ok(watermark === null || Date.parse(watermark) > before - 60_000);
    await record('c2');
    await received.atLeast(2);
    const next = batchesOf(received)[1];
    assert.deepEqual(next?.events, [{ id: 'c2' }]);
    assert.ok(Date.parse(next.watermark ?? '') >= before);
  });

  const refused: readonly [argument: string, args: string][] = [
    ['maxEvents', 'maxEvents: 0'],
    ['maxEvents', 'maxEvents: 10001'],
    ['maxEvents', 'maxEvents: "many"'],
    ['maxWaitMs', 'maxWaitMs: -1'],
    ['maxWaitMs', 'maxWaitMs: 60001'],
    ['maxWaitMs', 'maxWaitMs: 1.5'],
    ['where', 'where: [{ property: "a", operator: GT, value: true }]'],
    ['since', 'since: "yesterday"'],
  ];
  for (const [argument, args] of refused) {
    test(`${transport}: eventBatches(${args}) is refused, naming ${argument}`, async (t) => {
      const { server } = await runEmbedded(t, { topics: ['acme.purchases'] });
      const received = subscribe(t, {
        url: server.url,
        login: reader,
        query: `subscription { eventBatches(topic: "purchases", ${args}) { events { id } } }`,
      });
      const error = await received.ended;
      const [first] = [error ?? received.results[0]?.errors].flat();
      const { extensions } = Object(first);
      assert.deepEqual(extensions, { code: 'BAD_USER_INPUT', argument }, JSON.stringify(first));
    });
  }
}
