import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunningTime } from '../../support/running-time.ts';
import type { KafkaPortCapabilities, KafkaPortSetup } from './setup.ts';
import { play, type TapedBatch } from './tape.ts';
import { adminClient, freshTopic, numbered } from './topic.ts';

/** Records as they come: order, holes, codecs, back-pressure. */
export function readingTests(
  setup: () => KafkaPortSetup,
  { codecs, brokerCodecs = [], transactions, logAppendTime }: KafkaPortCapabilities,
): void {
  test('reads each partition in order, from the offset that was asked for', async (t) => {
    const topic = await freshTopic(setup(), 3);
    await setup().produce(
      topic,
      [0, 1, 2].flatMap((partition) => numbered(partition, 0, 50)),
    );
    const tape = play(t, adminClient(t, setup()), topic, [0, 20, 50]);
    await tape.untilRecords(80);
    assert.deepEqual(tape.offsets(0), range(0, 50));
    assert.deepEqual(tape.offsets(1), range(20, 50));
    assert.deepEqual(tape.offsets(2), []);
    assert.deepEqual(
      tape.values(1),
      range(20, 50).map((offset) => `1/${offset}`),
    );
    await setup().produce(topic, numbered(2, 50, 1));
    await tape.untilRecords(81);
    assert.deepEqual(tape.offsets(2), [50]);
    assert.deepEqual(
      tape.statuses.map(({ state }) => state),
      ['running'],
    );
  });

  test('delivers empty answers as batches without records, and the ends of the log', async (t) => {
    const topic = await freshTopic(setup(), 2);
    await setup().produce(topic, numbered(1, 0, 5));
    const tape = play(t, adminClient(t, setup()), topic, [0, 0]);
    const empty = (partition: number) =>
      tape.batches.filter((batch) => batch.partition === partition && !batch.records.length);
    await tape.until(() => empty(0).length > 2 && empty(1).length > 2, 'empty answers');
    const said = (partition: number): Partial<TapedBatch> => {
      const { ageMs = 0, ...rest } = tape.last(partition) ?? {};
      assert.ok(ageMs >= 0);
      return rest;
    };
    assert.deepEqual(said(0), {
      partition: 0,
      records: [],
      nextOffset: 0,
      highWatermark: 0,
      logStartOffset: 0,
    });
    assert.deepEqual(said(1), {
      partition: 1,
      records: [],
      nextOffset: 5,
      highWatermark: 5,
      logStartOffset: 0,
    });
  });

  test('reads on exactly where it was paused', async (t) => {
    const topic = await freshTopic(setup(), 2);
    await setup().produce(topic, [...numbered(0, 0, 10), ...numbered(1, 0, 10)]);
    const tape = play(t, adminClient(t, setup()), topic, [0, 0]);
    await tape.untilRecords(20);
    tape.reader.pause([0]);
    await answers(tape, 1, 3);
    await setup().produce(topic, [...numbered(0, 10, 10), ...numbered(1, 10, 10)]);
    await tape.untilPosition(1, 20);
    await answers(tape, 1, 3);
    assert.equal(tape.last(0)?.nextOffset, 10);
    tape.reader.resume([0]);
    await tape.untilPosition(0, 20);
    assert.deepEqual(tape.offsets(0), range(0, 20));
  });

  test('loses and repeats nothing when the answers are small and it is paused at each', async (t) => {
    const topic = await freshTopic(setup(), 3);
    await setup().produce(
      topic,
      [0, 1, 2].flatMap((partition) => numbered(partition, 0, 300)),
    );
    const tape = play(t, adminClient(t, setup()), topic, [0, 0, 0], { maxBytes: 2_000 });
    const stopped = new Set<number>();
    const hiccup = setInterval(() => {
      const partition = Math.floor(Math.random() * 3);
      if (stopped.delete(partition)) tape.reader.resume([partition]);
      else tape.reader.pause([...stopped.add(partition)]);
    }, 3);
    t.after(() => clearInterval(hiccup));
    await tape.untilRecords(900);
    for (const partition of [0, 1, 2]) assert.deepEqual(tape.offsets(partition), range(0, 300));
  });

  for (const compression of codecs) {
    test(`reads batches written with codec ${compression}`, async (t) => {
      const topic = await freshTopic(setup(), 1);
      const records = numbered(0, 0, 200, filler);
      await setup().produce(topic, records, { compression });
      await setup().produce(topic, [{ partition: 0, value: 'last' }], { compression });
      // From amid a batch: what lies before is in the answer, but is not handed over.
      const tape = play(t, adminClient(t, setup()), topic, [150]);
      await tape.untilRecords(51);
      assert.deepEqual(tape.offsets(0), range(150, 201));
      assert.equal(tape.values(0)[0], records[150]?.value);
      assert.equal(tape.values(0).at(-1), 'last');
    });
  }

  for (const codec of brokerCodecs) {
    test(`reads batches that the broker wrote with codec ${codec}`, async (t) => {
      const topic = await freshTopic(setup(), 1, { 'compression.type': codec });
      // Several blocks of 64 KB for the framed codecs.
      await setup().produce(topic, numbered(0, 0, 2_000, filler));
      const tape = play(t, adminClient(t, setup()), topic, [1_000]);
      await tape.untilRecords(1_000);
      assert.deepEqual(tape.offsets(0), range(1_000, 2_000));
      assert.equal(tape.values(0).at(-1), `0/1999${filler}`);
    });
  }

  test('reads keys, null keys, tombstones, empty values and times', async (t) => {
    const topic = await freshTopic(setup(), 1);
    const times = [0, 1, 1_700_000_000_123, 1_700_000_000_124];
    await setup().produce(topic, [
      { partition: 0, key: 'key', value: 'value', timestampMs: 0 },
      { partition: 0, key: null, value: 'value', timestampMs: 1 },
      { partition: 0, key: 'key', value: null, timestampMs: 1_700_000_000_123 },
      { partition: 0, key: '', value: '', timestampMs: 1_700_000_000_124 },
    ]);
    const tape = play(t, adminClient(t, setup()), topic, [0]);
    await tape.untilRecords(4);
    assert.deepEqual(
      tape.records.map(({ key, value }) => [text(key), text(value)]),
      [
        ['key', 'value'],
        [null, 'value'],
        ['key', null],
        ['', ''],
      ],
    );
    assert.deepEqual(
      tape.records.map(({ timestampMs }) => timestampMs),
      times,
    );
  });

  test('reads records of 1 MB, and past them with a small maxBytes', async (t) => {
    const topic = await freshTopic(setup(), 2, { 'max.message.bytes': '2097152' });
    const large = Buffer.alloc(1_000_000, 'x');
    await setup().produce(topic, [{ partition: 0, value: 'before' }]);
    await setup().produce(topic, [{ partition: 0, value: large }]);
    await setup().produce(topic, [...numbered(0, 2, 1), ...numbered(1, 0, 20)]);
    const tape = play(t, adminClient(t, setup()), topic, [0, 0], { maxBytes: 10_000 });
    await tape.untilRecords(23);
    assert.deepEqual(tape.offsets(0), [0, 1, 2]);
    assert.ok(
      tape.records.find(({ value }) => value?.length === large.length)?.value?.equals(large),
    );
  });

  test('ends promptly during a long poll, and then calls nobody back', async (t) => {
    const topic = await freshTopic(setup(), 1);
    const client = adminClient(t, setup());
    const tape = play(t, client, topic, [0], { maxWaitMs: () => 15_000 });
    // One record, so that the reader is known to be in the poll that follows it.
    await setup().produce(topic, numbered(0, 0, 1));
    await tape.untilRecords(1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const closing = new RunningTime();
    await tape.reader.close();
    const tookMs = closing.ms;
    assert.ok(tookMs < 1_000, `took ${tookMs} ms`);
    const heard = tape.batches.length;
    await setup().produce(topic, numbered(0, 1, 1));
    const other = play(t, client, topic, [1]);
    await other.untilRecords(1);
    assert.equal(tape.batches.length, heard);
    await tape.reader.close();
  });

  test('closes its readers with the client', async (t) => {
    const topic = await freshTopic(setup(), 1);
    const client = adminClient(t, setup());
    const tape = play(t, client, topic, [0], { maxWaitMs: () => 15_000 });
    await setup().produce(topic, numbered(0, 0, 1));
    await tape.untilRecords(1);
    await client.close();
    const heard = tape.batches.length + tape.statuses.length;
    await setup().produce(topic, numbered(0, 1, 1));
    const other = play(t, adminClient(t, setup()), topic, [1]);
    await other.untilRecords(1);
    assert.equal(tape.batches.length + tape.statuses.length, heard);
  });

  test('passes control records and aborted transactions over', {
    skip: !transactions,
  }, async (t) => {
    const topic = await freshTopic(setup(), 1);
    // Offsets: 0-2, marker 3; aborted 4-6, marker 7; 8; 9, marker 10; aborted 11, marker 12.
    await setup().produce(topic, numbered(0, 0, 3), { transaction: 'commit' });
    await setup().produce(topic, numbered(0, 4, 3), { transaction: 'abort' });
    await setup().produce(topic, numbered(0, 8, 1));
    await setup().produce(topic, numbered(0, 9, 1), { transaction: 'commit', compression: 'gzip' });
    await setup().produce(topic, numbered(0, 11, 1), { transaction: 'abort' });
    const client = adminClient(t, setup());
    const tape = play(t, client, topic, [0]);
    await tape.untilPosition(0, 13);
    assert.deepEqual(tape.offsets(0), [0, 1, 2, 8, 9]);
    assert.deepEqual(tape.values(0), ['0/0', '0/1', '0/2', '0/8', '0/9']);
    assert.equal(tape.last(0)?.highWatermark, 13);
    assert.ok(tape.batches.every((batch) => !batch.unreadable?.length));

    const amidAborted = play(t, client, topic, [5]);
    await amidAborted.untilPosition(0, 13);
    assert.deepEqual(amidAborted.offsets(0), [8, 9]);
  });

  test('tells the time that the broker set', { skip: !logAppendTime }, async (t) => {
    const topic = await freshTopic(setup(), 1, { 'message.timestamp.type': 'LogAppendTime' });
    const before = Date.now();
    await setup().produce(
      topic,
      [1, 2].map((timestampMs) => ({ partition: 0, value: 'v', timestampMs })),
    );
    const tape = play(t, adminClient(t, setup()), topic, [0]);
    await tape.untilRecords(2);
    for (const { timestampMs } of tape.records) {
      assert.ok(timestampMs >= before - 1_000 && timestampMs <= Date.now() + 1_000);
    }
  });
}

/** Something to compress. */
const filler = ' filler'.repeat(20);

function text(bytes: Buffer | null): string | null {
  return bytes && String(bytes);
}

/** Waits for so many further answers about the partition. */
async function answers(
  tape: ReturnType<typeof play>,
  partition: number,
  count: number,
): Promise<void> {
  const heard = () => tape.batches.filter((batch) => batch.partition === partition).length;
  const target = heard() + count;
  await tape.until(() => heard() >= target, `${count} more answers`);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
