import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type Manifest, manifestOf } from '../../../scripts/demo/burst.ts';
import { purchases } from '../../../scripts/demo/collections.ts';
import { EventStream } from '../../../scripts/demo/generator.ts';
import { produce } from '../../../scripts/demo/produce.ts';
import type { DemoRecord } from '../../../scripts/demo/record.ts';
import type { KafkaAccess } from '../../../scripts/kafka/access.ts';
import type { FeedCounts } from '../../../src/hub/feed-counts.ts';
import type { RunningServer } from '../../../src/server.ts';
import {
  describe,
  type GraphqlResult,
  type Received,
  subscribers,
} from '../../support/graphql-client.ts';
import { HeldClock } from '../../support/held-clock.ts';
import { openProducer, sharedCluster } from '../../support/kafka.ts';
import { feedIs, haveRead } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import {
  type KafkaClientName,
  kafkaClients,
  projectTopic,
  type ProjectTopic,
  reader,
  runOnKafka,
} from './real-server.ts';

const partitions = 9;
const maxDelayMs = 1_500;

type Transport = keyof typeof subscribers;

test('100,000 events, 20% out of order and 5% twice, come to everyone once and in exact order', async (t) => {
  const { manifest, servers } = await runBurst(t, {
    events: 100_000,
    eventsPerSecond: 3_300,
    latenessMs: 8_000,
    lateShare: 0,
    transports: {
      kafkajs: ['graphql-ws', 'graphql-ws', 'graphql-sse'],
      platformatic: [],
    },
  });
  assert.equal(manifest.events.length, 100_000);
  assert.ok(manifest.duplicateIds.length > 4_000);
  assert.ok(manifest.events.filter(({ delayed }) => delayed).length > 18_000);
  const expected = manifest.events.map(({ id }) => id);
  for (const { name, counts, received } of servers) {
    for (const { ids, lateIds } of received) {
      assertSame(ids, expected, name);
      assertSame(lateIds, [], `late ones of ${name}`);
    }
    assert.equal(counts.duplicates, manifest.duplicateIds.length, name);
    assert.equal(counts.delivered, expected.length * received.length, name);
  }
});

test('events beyond the lateness come once, flagged, and move nobody else', async (t) => {
  const { manifest, servers } = await runBurst(t, {
    events: 10_000,
    eventsPerSecond: 2_000,
    latenessMs: 4_000,
    lateShare: 0.01,
    transports: { kafkajs: ['graphql-ws'], platformatic: ['graphql-sse'] },
  });
  assert.ok(manifest.lateIds.length > 50);
  const onTime = manifest.events.filter(({ late }) => !late).map(({ id }) => id);
  for (const { name, counts, received } of servers) {
    for (const { ids, lateIds } of received) {
      assertSame(lateIds.toSorted(), manifest.lateIds.toSorted(), `late ones of ${name}`);
      const late = new Set(lateIds);
      const others = ids.filter((id) => !late.has(id));
      assertSame(others, onTime, name);
    }
    assert.equal(counts.duplicates, manifest.duplicateIds.length, name);
    assert.equal(counts.late, manifest.lateIds.length, name);
    assert.equal(counts.delivered, manifest.events.length * received.length, name);
  }
});

interface BurstOptions {
  readonly events: number;
  readonly eventsPerSecond: number;
  readonly latenessMs: number;
  /** Of the events: recorded later still. */
  readonly lateShare: number;
  /** Who subscribes to the server with which Kafka client. */
  readonly transports: Readonly<Record<KafkaClientName, readonly Transport[]>>;
}

/** What a subscriber was given, in the order in which it was. */
interface Delivered {
  readonly ids: readonly string[];
  readonly lateIds: readonly string[];
}

/** What came of a burst at one server. */
interface Outcome {
  readonly name: string;
  readonly counts: FeedCounts;
  readonly received: readonly Delivered[];
}

/**
 * Records events as they happen while the subscribers of two servers listen. Resolves when the servers
 * have read all and hold nothing back, and what they handed out has arrived.
 */
async function runBurst(
  t: TestContext,
  options: BurstOptions,
): Promise<{ manifest: Manifest; servers: readonly Outcome[] }> {
  const { transports, latenessMs } = options;
  const kafka = await sharedCluster();
  const topic = await projectTopic(t, kafka, 'burst', { partitions });
  // Records carry the producer's times. On a busy machine it falls behind them, and the servers' time with it.
  let nextMs = Number.POSITIVE_INFINITY;
  const clock = new HeldClock(() => nextMs);
  const listening = await Promise.all(
    kafkaClients
      .filter((client) => transports[client].length > 0)
      .map((client) => listen(t, kafka, { client, topic, clock }, options)),
  );
  const startedAtMs = performance.now();
  const producer = await openProducer(t, kafka);
  const records = await record(t, topic, options, {
    from(timestampMs) {
      nextMs = timestampMs;
    },
    async write(batch) {
      const sent = await producer.send(topic.kafkaTopic, batch);
      const ends = sent.map(({ partition, baseOffset }) => {
        const count = batch.filter((one) => one.partition === partition).length;
        return { partition, high: baseOffset + count };
      });
      for (const { server } of listening) await haveRead(server, topic.kafkaTopic, ends);
    },
  });
  const recordedMs = performance.now() - startedAtMs;
  const servers = await Promise.all(
    listening.map(async ({ name, server, all }) => {
      const counts = await settled(server, topic, records.length);
      const perSubscriber = counts.delivered / all.length;
      const received = await Promise.all(
        all.map((one) => Promise.race([one.atLeast(perSubscriber), endOf(one)])),
      );
      return { name, counts, received: received.map(deliveredOf) };
    }),
  );
  const tookMs = performance.now() - startedAtMs;
  t.diagnostic(
    `${records.length} records, recorded in ${seconds(recordedMs)} s, with everyone after ${seconds(tookMs)} s; the lateness is ${seconds(latenessMs)} s`,
  );
  return { manifest: manifestOf(records), servers };
}

async function listen(
  t: TestContext,
  kafka: KafkaAccess,
  { client, topic, clock }: { client: KafkaClientName; topic: ProjectTopic; clock: HeldClock },
  { transports, latenessMs }: BurstOptions,
): Promise<{ name: KafkaClientName; server: RunningServer; all: readonly Received[] }> {
  const { name, kafkaTopic } = topic;
  const settings = {
    MILLRACE_TOPICS_DEFAULTS_LATENESS: `${latenessMs}ms`,
    // Clients that wait for their turn in this one process are not slow.
    MILLRACE_LIMITS_OUTBOUND_BYTES_PER_CONNECTION: '256MiB',
  };
  const server = await runOnKafka(t, kafka, client, settings, { clock });
  const all = transports[client].map((transport) =>
    subscribers[transport](t, {
      url: server.url,
      login: reader,
      query: 'subscription($topic: String!) { events(topic: $topic) { id late } }',
      variables: { topic: name },
    }),
  );
  await feedIs(server, kafkaTopic, { subscribers: all.length });
  return { name: client, server, all };
}

interface Writing {
  /** What is written from now on is of that time or later. */
  from(timestampMs: number): void;
  /** Resolves when all servers have read it. */
  write(records: readonly DemoRecord[]): Promise<void>;
}

/** Writes so many events, from now on, each record at its time. Answers the records. */
async function record(
  t: TestContext,
  { kafkaTopic }: ProjectTopic,
  { events, eventsPerSecond, latenessMs, lateShare }: BurstOptions,
  writing: Writing,
): Promise<readonly DemoRecord[]> {
  const plan = new EventStream({
    collection: purchases,
    topic: kafkaTopic,
    deadLetterTopic: `${kafkaTopic}-dlq`,
    seed: 7,
    startMs: Date.now(),
    eventsPerSecond,
    partitions,
    events,
    disorder: {
      delayedShare: 0.2,
      duplicateShare: 0.05,
      lateShare,
      maxDelayMs,
      latenessMs,
      deadLetterShare: 0,
      unparsableShare: 0,
    },
  });
  writing.from(plan.nextMs);
  const written: DemoRecord[] = [];
  const ended = new AbortController();
  t.after(() => ended.abort());
  await produce({
    plan,
    signal: ended.signal,
    maxBehindMs: Number.POSITIVE_INFINITY,
    onTrouble: (reason) => t.diagnostic(reason),
    sink: {
      async send(records) {
        // In halves of a second: of what is further ahead a server says that it is from the future.
        for (const batch of Map.groupBy(records, halfSecondOf).values()) {
          writing.from(batch[0]?.timestampMs ?? plan.nextMs);
          await writing.write(batch);
        }
        writing.from(plan.nextMs);
        written.push(...records);
      },
    },
  });
  return written;
}

function halfSecondOf({ timestampMs }: DemoRecord): number {
  return Math.floor(timestampMs / 500);
}

/** What the topic's feed has done when so many records have gone through it. */
async function settled(
  { hub }: RunningServer,
  { kafkaTopic }: ProjectTopic,
  records: number,
): Promise<FeedCounts> {
  const feed = [...hub.registry.feeds()].find((one) => one.kafkaTopic === kafkaTopic);
  assert.ok(feed);
  await until(
    `${records} records read, none held`,
    () => feed.counts.received >= records && feed.counts.held === 0,
  );
  assert.equal(feed.counts.received, records);
  return feed.counts;
}

async function endOf({ ended, results }: Received): Promise<never> {
  const error = await ended;
  throw new Error(`a subscription ended after ${results.length} results: ${describe(error)}`);
}

function deliveredOf(results: readonly GraphqlResult[]): Delivered {
  const ids: string[] = [];
  const lateIds: string[] = [];
  for (const { data } of results) {
    const { id, late } = Object(data?.['events']);
    ids.push(id);
    if (late === true) lateIds.push(id);
  }
  return { ids, lateIds };
}

/** Names the first difference only: a full one of long lists takes minutes to make. */
function assertSame(actual: readonly string[], expected: readonly string[], what: string): void {
  const length = Math.max(actual.length, expected.length);
  for (let at = 0; at < length; at += 1) {
    if (actual[at] === expected[at]) continue;
    const [start, end] = [Math.max(0, at - 2), at + 3];
    assert.deepEqual(
      actual.slice(start, end),
      expected.slice(start, end),
      `${what}, from place ${at} of ${expected.length}`,
    );
  }
}

function seconds(ms: number): string {
  return (ms / 1_000).toFixed(1);
}
