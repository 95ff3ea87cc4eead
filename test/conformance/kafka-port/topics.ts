import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaError } from '../../../src/kafka/port.ts';
import type { KafkaPortCapabilities, KafkaPortSetup } from './setup.ts';
import { kafkaError, play } from './tape.ts';
import { adminClient, freshTopic, numbered, topicName } from './topic.ts';

/** Topics: described, missing, deleted, growing. */
export function topicTests(
  setup: () => KafkaPortSetup,
  _capabilities: KafkaPortCapabilities,
): void {
  test('describes many topics at once, one of them missing', async (t) => {
    const [first, second] = await Promise.all([freshTopic(setup(), 3), freshTopic(setup(), 1)]);
    const missing = topicName();
    const client = adminClient(t, setup());
    const described = await client.describeTopics([first, missing, second]);
    assert.deepEqual([...described.keys()].toSorted(), [first, missing, second].toSorted());
    const description = described.get(first);
    assert.ok(description && !(description instanceof KafkaError));
    assert.equal(description.name, first);
    assert.deepEqual(
      description.partitions.map(({ id }) => id),
      [0, 1, 2],
    );
    assert.ok(description.partitions.every(({ leader }) => leader !== null));
    kafkaError('TOPIC_NOT_FOUND')(described.get(missing));
    assert.deepEqual(await client.describeTopics([]), new Map());
    // Nothing was created by asking.
    const again = await client.describeTopics([missing]);
    kafkaError('TOPIC_NOT_FOUND')(again.get(missing));
  });

  test('lists topics without internal ones, and names the cluster', async (t) => {
    const topic = await freshTopic(setup(), 1);
    const client = adminClient(t, setup());
    const topics = await client.listTopics();
    assert.ok(topics.includes(topic));
    assert.ok(!topics.some((name) => name.startsWith('__')));
    assert.match(await client.clusterId(), /\S/);
    assert.equal(await client.clusterId(), await adminClient(t, setup()).clusterId());
  });

  test('fails when the topic does not exist', async (t) => {
    const tape = play(t, adminClient(t, setup()), topicName(), [0]);
    kafkaError('TOPIC_NOT_FOUND')(await tape.untilFailed());
    assert.deepEqual(tape.batches, []);
  });

  test('fails when the topic is deleted', async (t) => {
    const topic = await freshTopic(setup(), 2);
    await setup().produce(topic, numbered(0, 0, 5));
    const tape = play(t, adminClient(t, setup(), { metadataMaxAgeMs: 500 }), topic, [0, 0]);
    await tape.untilPosition(0, 5);
    await setup().deleteTopic(topic);
    kafkaError('TOPIC_NOT_FOUND')(await tape.untilFailed());
    assert.deepEqual(tape.offsets(0), [0, 1, 2, 3, 4]);
  });

  test('fails when the topic is deleted and created again', async (t) => {
    const topic = await freshTopic(setup(), 1);
    await setup().produce(topic, numbered(0, 0, 3));
    const client = adminClient(t, setup(), { metadataMaxAgeMs: 500 });
    const before = (await client.describeTopics([topic])).get(topic);
    const tape = play(t, client, topic, [0]);
    await tape.untilPosition(0, 3);
    await setup().deleteTopic(topic);
    await setup().createTopic(topic, 1);
    await setup().produce(topic, numbered(0, 0, 5));
    kafkaError('TOPIC_RECREATED')(await tape.untilFailed());
    assert.deepEqual(tape.offsets(0), [0, 1, 2]);
    const after = (await client.describeTopics([topic])).get(topic);
    assert.ok(before && !(before instanceof KafkaError));
    assert.ok(after && !(after instanceof KafkaError));
    assert.notEqual(before.topicId ?? 'before', after.topicId ?? 'after');
  });

  test('reads a partition that is added later from its beginning', async (t) => {
    const topic = await freshTopic(setup(), 1);
    await setup().produce(topic, numbered(0, 0, 5));
    const tape = play(t, adminClient(t, setup(), { metadataMaxAgeMs: 500 }), topic, [3]);
    await tape.untilRecords(2);
    await setup().addPartitions(topic, 3);
    await setup().produce(topic, [...numbered(1, 0, 5), ...numbered(2, 0, 5)]);
    await tape.untilRecords(12);
    assert.deepEqual(tape.offsets(0), [3, 4]);
    assert.deepEqual(tape.offsets(1), [0, 1, 2, 3, 4]);
    assert.deepEqual(tape.offsets(2), [0, 1, 2, 3, 4]);
  });

  test('reads partitions that were not listed from their beginning', async (t) => {
    const topic = await freshTopic(setup(), 2);
    await setup().produce(topic, [...numbered(0, 0, 5), ...numbered(1, 0, 5)]);
    await setup().deleteRecords(topic, 1, 2);
    const tape = play(t, adminClient(t, setup()), topic, new Map([[0, 4]]));
    await tape.untilRecords(4);
    assert.deepEqual(tape.offsets(0), [4]);
    assert.deepEqual(tape.offsets(1), [2, 3, 4]);
  });
}
