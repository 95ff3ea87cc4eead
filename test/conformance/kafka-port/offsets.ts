import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaError } from '../../../src/kafka/port.ts';
import type { KafkaPortCapabilities, KafkaPortSetup } from './setup.ts';
import { kafkaError, play } from './tape.ts';
import { adminClient, freshTopic, numbered, topicName } from './topic.ts';

/** Where logs begin and end, and what becomes of a reader outside of that. */
export function offsetTests(
  setup: () => KafkaPortSetup,
  { openTransactions = false }: KafkaPortCapabilities,
): void {
  test('lists earliest and latest offsets of many topics', async (t) => {
    const [first, second] = await Promise.all([freshTopic(setup(), 2), freshTopic(setup(), 1)]);
    await setup().produce(first, [...numbered(0, 0, 10), ...numbered(1, 0, 4)]);
    await setup().deleteRecords(first, 0, 3);
    const client = adminClient(t, setup());
    const missing = topicName();
    const earliest = await client.listOffsets([first, second, missing], 'earliest');
    const latest = await client.listOffsets([first, second], 'latest');
    assert.deepEqual(offsets(earliest.get(first)), [
      [0, 3],
      [1, 0],
    ]);
    assert.deepEqual(offsets(earliest.get(second)), [[0, 0]]);
    assert.deepEqual(offsets(latest.get(first)), [
      [0, 10],
      [1, 4],
    ]);
    assert.deepEqual(offsets(latest.get(second)), [[0, 0]]);
    kafkaError('TOPIC_NOT_FOUND')(earliest.get(missing));
    assert.deepEqual(await client.listOffsets([], 'latest'), new Map());
  });

  test('lists offsets by time; past the end: the high watermark', async (t) => {
    const topic = await freshTopic(setup(), 2);
    const base = 1_700_000_000_000;
    await setup().produce(
      topic,
      [0, 1, 2, 3].map((index) => ({ partition: 0, value: 'v', timestampMs: base + index * 1000 })),
    );
    const client = adminClient(t, setup());
    const at = async (timestampMs: number) =>
      offsets((await client.listOffsets([topic], { timestampMs })).get(topic));
    assert.deepEqual(await at(base - 1), [
      [0, 0],
      [1, 0],
    ]);
    assert.deepEqual(await at(base + 1_001), [
      [0, 2],
      [1, 0],
    ]);
    assert.deepEqual(await at(base + 10_000), [
      [0, 4],
      [1, 0],
    ]);
  });

  test('fails with the range that is gone when it begins below the start', async (t) => {
    const topic = await freshTopic(setup(), 2);
    await setup().produce(topic, [...numbered(0, 0, 10), ...numbered(1, 0, 10)]);
    await setup().deleteRecords(topic, 1, 6);
    const tape = play(t, adminClient(t, setup()), topic, [0, 2]);
    const failure = await tape.untilFailed();
    kafkaError('OFFSET_OUT_OF_RANGE')(failure);
    assert.deepEqual(failure.ranges, [{ partition: 1, from: 2, to: 6 }]);
    assert.equal(tape.reader.status.state, 'failed');
    assert.deepEqual(tape.offsets(1), []);
  });

  test('fails with the range that never was when it begins above the end', async (t) => {
    const topic = await freshTopic(setup(), 2);
    await setup().produce(topic, numbered(0, 0, 10));
    const tape = play(t, adminClient(t, setup()), topic, [15, 2]);
    const failure = await tape.untilFailed();
    kafkaError('OFFSET_OUT_OF_RANGE')(failure);
    assert.deepEqual(
      failure.ranges.toSorted((a, b) => a.partition - b.partition),
      [
        { partition: 0, from: 10, to: 15 },
        { partition: 1, from: 0, to: 2 },
      ],
    );
  });

  test('tells where the log starts when its start moves', async (t) => {
    const topic = await freshTopic(setup(), 1);
    await setup().produce(topic, numbered(0, 0, 10));
    const tape = play(t, adminClient(t, setup()), topic, [0]);
    await tape.untilPosition(0, 10);
    await setup().deleteRecords(topic, 0, 7);
    await tape.until(() => tape.last(0)?.logStartOffset === 7, 'log start 7');
    assert.equal(tape.last(0)?.highWatermark, 10);
  });

  test('ends before a transaction that is not ended', { skip: !openTransactions }, async (t) => {
    const topic = await freshTopic(setup(), 1);
    await setup().produce(topic, numbered(0, 0, 2));
    const transaction = await setup().openTransaction?.(topic, numbered(0, 2, 2));
    await setup().produce(topic, numbered(0, 4, 1));
    const client = adminClient(t, setup());
    const latest = await client.listOffsets([topic], 'latest');
    assert.deepEqual(offsets(latest.get(topic)), [[0, 2]]);
    const tape = play(t, client, topic, [0]);
    await tape.until(() => tape.batches.length > 3, 'some answers');
    assert.deepEqual(tape.offsets(0), [0, 1]);
    assert.equal(tape.last(0)?.highWatermark, 2);
    await transaction?.commit();
    await tape.untilPosition(0, 6);
    assert.deepEqual(tape.offsets(0), [0, 1, 2, 3, 4]);
    assert.equal(tape.last(0)?.highWatermark, 6);
  });
}

function offsets(answer: ReadonlyMap<number, number> | KafkaError | undefined): unknown {
  if (answer === undefined || answer instanceof KafkaError) return answer;
  return [...answer].toSorted(([a], [b]) => a - b);
}
