import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import {
  EmbeddedKafka,
  type EmbeddedKafkaOptions,
} from '../../../../src/kafka/embedded/embedded-kafka.ts';
import {
  KafkaError,
  type KafkaSasl,
  type ReaderOptions,
  type ReaderStatus,
  type RecordBatch,
} from '../../../../src/kafka/port.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

function setUp(t: TestContext, options: Partial<EmbeddedKafkaOptions> = {}) {
  const clock = new ManualClock();
  const kafka = new EmbeddedKafka({ clock, ...options });
  const connect = (sasl: KafkaSasl | null = null) => {
    const client = kafka.driver().connect(sasl);
    t.after(() => client.close());
    return client;
  };
  return { clock, kafka, connect };
}

function plain(username: string, password: string): KafkaSasl {
  return { mechanism: 'PLAIN', username, password };
}

/** A reader that notes all it is told. */
function open(
  client: ReturnType<ReturnType<typeof setUp>['connect']>,
  topic: string,
  options: Partial<ReaderOptions> = {},
) {
  const answers: (readonly RecordBatch[])[] = [];
  const statuses: ReaderStatus[] = [];
  const reader = client.openReader({
    topic,
    start: new Map(),
    onBatches: (batches) => answers.push(batches),
    onStatus: (status) => statuses.push(status),
    ...options,
  });
  const values = () =>
    answers.flat().flatMap((batch) => batch.records.map((record) => String(record.value)));
  return { reader, answers, statuses, values };
}

test('records go round robin, with the time of the clock', async (t) => {
  const { clock, kafka, connect } = setUp(t);
  kafka.createTopic('a', 2);
  const placed = ['x', 'y', 'z'].map((value) => kafka.append('a', { value }));
  assert.deepEqual(placed, [
    { partition: 0, offset: 0 },
    { partition: 1, offset: 0 },
    { partition: 0, offset: 1 },
  ]);
  const { answers } = open(connect(), 'a');
  await clock.advance(0);
  const records = answers.flat().flatMap((batch) => batch.records);
  assert.deepEqual(
    records.map((record) => record.timestampMs),
    [clock.now(), clock.now(), clock.now()],
  );
});

test('an empty answer comes after the longest wait, and not before', async (t) => {
  const { clock, kafka, connect } = setUp(t);
  kafka.createTopic('a', 1);
  const { answers, reader } = open(connect(), 'a', { maxWaitMs: () => 200 });
  await clock.advance(199);
  assert.equal(answers.length, 0);
  assert.equal(reader.status.state, 'starting');
  await clock.advance(1);
  assert.deepEqual(answers, [
    [{ partition: 0, records: [], nextOffset: 0, highWatermark: 0, logStartOffset: 0 }],
  ]);
  assert.equal(reader.status.state, 'running');
  kafka.append('a', { value: 'x' });
  await clock.advance(0);
  assert.equal(answers.length, 2);
});

test('a bound on bytes drops the oldest records of the fullest partition', (t) => {
  const { kafka } = setUp(t, { retention: { maxBytes: 10_000 } });
  kafka.createTopic('a', 1);
  kafka.createTopic('b', 1);
  kafka.append('b', { value: 'kept' });
  for (let i = 0; i < 100; i++) kafka.append('a', { value: Buffer.alloc(900) });
  const [a] = kafka.topic('a')?.partitions ?? [];
  const [b] = kafka.topic('b')?.partitions ?? [];
  assert.equal(a?.length, 9);
  assert.equal(a?.startOffset, 91);
  assert.equal(b?.length, 1);
});

test('a reader that falls below the log start fails with the exact range', async (t) => {
  const { clock, kafka, connect } = setUp(t, { retention: { maxRecords: 3 } });
  kafka.createTopic('a', 1);
  kafka.append('a', { value: 'x' });
  const { reader, values, statuses } = open(connect(), 'a');
  await clock.advance(0);
  reader.pause([0]);
  for (let i = 0; i < 9; i++) kafka.append('a', { value: `${i}` });
  reader.resume([0]);
  await clock.advance(0);
  const failed = statuses.at(-1);
  assert.ok(failed?.state === 'failed');
  assert.equal(failed.error.code, 'OFFSET_OUT_OF_RANGE');
  assert.deepEqual(failed.error.ranges, [{ partition: 0, from: 1, to: 7 }]);
  assert.deepEqual(values(), ['x']);
});

test('a reader above a truncated log fails with what is gone', async (t) => {
  const { clock, kafka, connect } = setUp(t);
  kafka.createTopic('a', 1);
  for (let i = 0; i < 9; i++) kafka.append('a', { value: `${i}` });
  const { statuses } = open(connect(), 'a');
  await clock.advance(0);
  kafka.truncate('a', 0, 4);
  await clock.advance(0);
  const failed = statuses.at(-1);
  assert.ok(failed?.state === 'failed');
  assert.deepEqual(failed.error.ranges, [{ partition: 0, from: 4, to: 9 }]);
});

test('while the log is off, calls are refused and readers degraded; then they go on', async (t) => {
  const { clock, kafka, connect } = setUp(t);
  kafka.createTopic('a', 2);
  kafka.append('a', { value: 'x' });
  const client = connect();
  const { statuses, values } = open(client, 'a');
  await clock.advance(0);
  kafka.setAvailable(false);
  kafka.append('a', { value: 'y' });
  await clock.advance(10_000);
  await assert.rejects(client.login(), { code: 'UNAVAILABLE' });
  await assert.rejects(client.listTopics(), { code: 'UNAVAILABLE' });
  const degraded = statuses.at(-1);
  assert.ok(degraded?.state === 'degraded');
  assert.deepEqual(degraded.partitions, [0, 1]);
  assert.deepEqual(values(), ['x']);
  kafka.setAvailable(true);
  await clock.advance(0);
  assert.deepEqual(
    statuses.map((status) => status.state),
    ['running', 'degraded', 'running'],
  );
  assert.deepEqual(values(), ['x', 'y']);
});

test('a partition without a leader is degraded alone', async (t) => {
  const { clock, kafka, connect } = setUp(t);
  kafka.createTopic('a', 2);
  const { reader, values } = open(connect(), 'a');
  kafka.setPartitionAvailable('a', 1, false);
  kafka.append('a', { partition: 0, value: 'x' });
  kafka.append('a', { partition: 1, value: 'y' });
  await clock.advance(0);
  assert.ok(reader.status.state === 'degraded');
  assert.deepEqual(reader.status.partitions, [1]);
  assert.deepEqual(values(), ['x']);
  kafka.setPartitionAvailable('a', 1, true);
  await clock.advance(0);
  assert.deepEqual(values(), ['x', 'y']);
  assert.equal(reader.status.state, 'running');
});

test('a topic that is missing has five seconds to appear', async (t) => {
  const { clock, kafka, connect } = setUp(t);
  const early = open(connect(), 'a');
  const never = open(connect(), 'b');
  await clock.advance(4_999);
  assert.equal(early.reader.status.state, 'degraded');
  kafka.createTopic('a', 1);
  kafka.append('a', { value: 'x' });
  await clock.advance(10_000);
  assert.deepEqual(early.values(), ['x']);
  assert.ok(never.reader.status.state === 'failed');
  assert.equal(never.reader.status.error.code, 'TOPIC_NOT_FOUND');
});

test('a topic that was deleted and created again is not read on', async (t) => {
  const { clock, kafka, connect } = setUp(t);
  kafka.createTopic('a', 1);
  kafka.append('a', { value: 'x' });
  const { reader, values } = open(connect(), 'a');
  await clock.advance(0);
  kafka.deleteTopic('a');
  kafka.createTopic('a', 1);
  kafka.append('a', { value: 'y' });
  kafka.append('a', { value: 'z' });
  await clock.advance(0);
  assert.ok(reader.status.state === 'failed');
  assert.equal(reader.status.error.code, 'TOPIC_RECREATED');
  assert.deepEqual(values(), ['x']);
});

test('users: a wrong login, a topic of somebody else, a user removed', async (t) => {
  const { clock, kafka, connect } = setUp(t, {
    users: [{ username: 'ann', password: 'right', mayRead: (topic) => topic.startsWith('ann.') }],
  });
  kafka.createTopic('ann.a', 1);
  kafka.createTopic('bob.a', 1);
  await assert.rejects(connect(plain('ann', 'wrong')).login(), { code: 'AUTHENTICATION_FAILED' });
  await assert.rejects(connect().listTopics(), { code: 'AUTHENTICATION_FAILED' });
  const ann = connect(plain('ann', 'right'));
  assert.deepEqual(await ann.listTopics(), ['ann.a']);
  const described = await ann.describeTopics(['ann.a', 'bob.a']);
  const refused = described.get('bob.a');
  assert.ok(refused instanceof KafkaError);
  assert.equal(refused.code, 'NOT_AUTHORIZED');
  const foreign = open(ann, 'bob.a');
  await clock.advance(0);
  assert.ok(foreign.reader.status.state === 'failed');
  assert.equal(foreign.reader.status.error.code, 'NOT_AUTHORIZED');
  kafka.setUsers([]);
  await assert.rejects(ann.login(), { code: 'AUTHENTICATION_FAILED' });
  assert.deepEqual((await ann.listTopics()).includes('ann.a'), true);
});

test('holes are passed over, unreadable records are told of', async (t) => {
  const { clock, kafka, connect } = setUp(t);
  kafka.createTopic('a', 1);
  kafka.append('a', { value: 'x' });
  kafka.appendHole('a', 0, 3);
  kafka.appendUnreadable('a', 0, 2, 'bad checksum');
  const { answers } = open(connect(), 'a');
  await clock.advance(0);
  const [batch] = answers.flat();
  assert.equal(batch?.nextOffset, 6);
  assert.deepEqual(batch?.unreadable, [{ from: 4, to: 6, reason: 'bad checksum' }]);
});

test('an answer keeps to its bound, and no partition starves', async (t) => {
  const { clock, kafka, connect } = setUp(t);
  kafka.createTopic('a', 3);
  for (let i = 0; i < 30; i++) kafka.append('a', { value: Buffer.alloc(900) });
  const { answers } = open(connect(), 'a', { maxBytes: 2_500 });
  await clock.advance(0);
  await clock.advance(0);
  const records = answers.map((answer) => answer.flatMap((batch) => batch.records).length);
  assert.ok(records.every((count) => count <= 2));
  assert.ok(answers.every((answer) => answer.length === 3));
  const filled = answers.slice(0, 3).map((answer) => answer.filter((b) => b.records.length > 0));
  assert.deepEqual(new Set(filled.flat().map((batch) => batch.partition)), new Set([0, 1, 2]));
});

test('after close nothing is told', async (t) => {
  const { clock, kafka, connect } = setUp(t);
  kafka.createTopic('a', 1);
  const { reader, answers, statuses } = open(connect(), 'a');
  await clock.advance(0);
  await reader.close();
  kafka.append('a', { value: 'x' });
  await clock.advance(10_000);
  assert.deepEqual(answers, []);
  assert.deepEqual(statuses, []);
  assert.equal(clock.pending, 0);
});
