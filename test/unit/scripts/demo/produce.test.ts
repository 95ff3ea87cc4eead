import assert from 'node:assert/strict';
import { test } from 'node:test';
import { burst } from '../../../../scripts/demo/burst.ts';
import { collections, purchases } from '../../../../scripts/demo/collections.ts';
import { EventStream } from '../../../../scripts/demo/generator.ts';
import { mergePlans, produce, sendAll } from '../../../../scripts/demo/produce.ts';
import type { DemoRecord } from '../../../../scripts/demo/record.ts';
import { embeddedSink } from '../../../../scripts/demo/sink.ts';
import { demoNaming, demoStreams, demoTopics } from '../../../../scripts/demo/streams.ts';
import { EmbeddedKafka } from '../../../../src/kafka/embedded/embedded-kafka.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const startMs = Date.UTC(2026, 0, 1);

function stream(events: number): EventStream {
  return new EventStream({
    collection: purchases,
    topic: 'acme.purchases',
    deadLetterTopic: 'acme.purchases-dlq',
    seed: 1,
    startMs,
    events,
  });
}

/** Time passes only while somebody sleeps. */
function fakeTime() {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    sleep: async (ms: number) => {
      nowMs += ms;
    },
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

function never(reason: string): void {
  assert.fail(reason);
}

test('every record is written at its time, within a tick', async () => {
  const time = fakeTime();
  const written: DemoRecord[] = [];
  await produce({
    plan: stream(300),
    sink: {
      async send(records) {
        for (const record of records) {
          const behindMs = time.now() - record.timestampMs;
          assert.ok(behindMs >= 0 && behindMs <= 50, `${behindMs} ms behind`);
          written.push(record);
        }
      },
    },
    signal: new AbortController().signal,
    onTrouble: never,
    ...time,
  });
  const { records } = burst({
    collection: purchases,
    topic: 'acme.purchases',
    deadLetterTopic: 'acme.purchases-dlq',
    seed: 1,
    startMs,
    events: 300,
  });
  assert.deepEqual(written, records);
});

test('what cannot be written is tried again, and told once', async () => {
  const time = fakeTime();
  const written: DemoRecord[] = [];
  const told: string[] = [];
  let failures = 3;
  await produce({
    plan: stream(20),
    sink: {
      async send(records) {
        if (failures-- > 0) throw new Error('no leader');
        written.push(...records);
      },
    },
    signal: new AbortController().signal,
    onTrouble: (reason) => told.push(reason),
    ...time,
  });
  assert.deepEqual(told, ['no leader']);
  const ids = written.flatMap((record) => (record.kind === 'event' ? [record.event.sequence] : []));
  assert.equal(new Set(ids).size, 20);
});

test('after a long sleep it goes on with the present', async () => {
  const time = fakeTime();
  const ending = new AbortController();
  const writtenMs: number[] = [];
  await produce({
    plan: stream(Number.POSITIVE_INFINITY),
    sink: {
      async send(records) {
        for (const { timestampMs } of records) writtenMs.push(timestampMs);
        if (writtenMs.length === 10) time.pass(3_600_000);
        if (writtenMs.length > 20) ending.abort();
      },
    },
    signal: ending.signal,
    onTrouble: never,
    ...time,
  });
  const [before = 0, after = 0] = [writtenMs[9], writtenMs[10]];
  assert.ok(before < startMs + 60_000 && after >= startMs + 3_600_000);
});

test('the signal ends a wait at once', async () => {
  const ending = new AbortController();
  const producing = produce({
    plan: {
      nextMs: Date.now() + 3_600_000,
      next: () => assert.fail(),
      skipTo: () => assert.fail(),
    },
    sink: { send: async () => assert.fail() },
    signal: ending.signal,
    onTrouble: never,
  });
  ending.abort();
  await producing;
});

test('plans are merged by their record times', () => {
  const streams = collections.map(
    (collection) =>
      new EventStream({
        collection,
        topic: collection.name,
        deadLetterTopic: `${collection.name}-dlq`,
        seed: 1,
        startMs,
        events: 50,
      }),
  );
  const plan = mergePlans(streams);
  const topics = new Set<string>();
  let latestMs = 0;
  while (plan.nextMs < Number.POSITIVE_INFINITY) {
    const { topic, timestampMs } = plan.next();
    topics.add(topic);
    assert.ok(timestampMs >= latestMs);
    latestMs = timestampMs;
  }
  assert.ok(collections.every(({ name }) => topics.has(name)));
  assert.throws(() => plan.next(), RangeError);
});

test('the demo fills the topics of both projects in the embedded log', async () => {
  const kafka = new EmbeddedKafka({ clock: new ManualClock(startMs) });
  const sink = embeddedSink(kafka);
  const projectIds = ['acme', 'globex'];
  const names = demoTopics(demoNaming, projectIds);
  assert.equal((await sink.createTopics(names, 9)).length, 12);
  assert.deepEqual(await sink.createTopics(names, 9), []);

  const plan = mergePlans(demoStreams({ ...demoNaming, projectIds, seed: 1, startMs, rate: 1 }));
  const records: DemoRecord[] = [];
  while (plan.nextMs < startMs + 60_000) records.push(plan.next());
  await sendAll(records, sink);
  for (const name of names) {
    const partitions = kafka.topic(name)?.partitions ?? [];
    assert.equal(partitions.length, 9);
    const length = partitions.reduce((sum, log) => sum + log.length, 0);
    assert.equal(length, records.filter(({ topic }) => topic === name).length);
    if (!name.endsWith('-dlq')) assert.ok(length > 30);
  }
});
