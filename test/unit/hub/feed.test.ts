import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MillraceError } from '../../../src/core/errors.ts';
import type {
  KafkaClient,
  KafkaDriver,
  RawRecord,
  ReaderOptions,
} from '../../../src/kafka/port.ts';
import { collect, lingerMs, openHub, settled } from '../../support/hub.ts';
import { settle } from '../../support/manual-clock.ts';

/** Long enough for everything in time to come out. */
const flushMs = 4_000;

test('events of all partitions come in the order of their own time, each once', async (t) => {
  const { clock, record, events } = openHub(t);
  const received = collect(await events());
  record('c', { partition: 0, agoMs: 100 });
  record('a', { partition: 1, agoMs: 300 });
  record('b', { partition: 2, agoMs: 200 });
  record('a', { partition: 2, agoMs: 300 });
  await clock.advance(flushMs);
  assert.deepEqual(received.ids, ['a', 'b', 'c']);
  assert.deepEqual(received.late, []);
});

test('what is recorded while the cluster cannot be reached is delivered, what was before is not', async (t) => {
  const { clock, kafka, hub, record, events } = openHub(t);
  record('before');
  await clock.advance(1);
  kafka.setAvailable(false);
  const accepting = events();
  await clock.advance(2_000);
  const first = collect(await settled(accepting));
  assert.deepEqual(
    [...hub.registry.feeds()].map(({ state }) => state),
    ['DEGRADED'],
  );
  // Far more than a partition is read back when the cluster answers in time.
  for (let i = 0; i < 3_000; i += 1) record(`early ${i}`);
  await clock.advance(60_000);
  const joining = events();
  await clock.advance(2_000);
  const second = collect(await settled(joining));
  record('meanwhile');
  kafka.setAvailable(true);
  await clock.advance(10_000);
  record('after');
  await clock.advance(flushMs);
  assert.equal(first.ids.length, 3_002);
  assert.ok(!first.ids.includes('before'));
  assert.deepEqual(second.ids, ['meanwhile', 'after']);
});

test('an answer that takes longer than the acceptance loses nothing, however much is recorded', async (t) => {
  const answered = Promise.withResolvers<void>();
  const { clock, record, events } = openHub(t, {
    driver: (embedded) =>
      overridden(embedded, (client) => ({
        async listOffsets(topics, at) {
          await answered.promise;
          return client.listOffsets(topics, at);
        },
      })),
  });
  const accepting = events();
  await clock.advance(2_000);
  const received = collect(await settled(accepting));
  for (let i = 0; i < 1_500; i += 1) record(`event ${i}`);
  answered.resolve();
  await clock.advance(flushMs);
  assert.equal(received.ids.length, 1_500);
});

test('who joins gets nothing that was held or had been recorded before', async (t) => {
  const { clock, record, events } = openHub(t);
  const first = collect(await events());
  await clock.advance(1_000);
  record('held', { partition: 1 });
  await clock.advance(500);
  const second = collect(await events());
  record('after', { partition: 0, agoMs: 1_500 });
  record('after too', { partition: 1 });
  await clock.advance(flushMs);
  record('later');
  await clock.advance(flushMs);
  assert.deepEqual(first.sortedIds, ['after', 'after too', 'held', 'later']);
  assert.deepEqual(second.ids, ['after', 'after too', 'later']);
});

test('who joins a feed that lags gets nothing that was known to be recorded before', async (t) => {
  const { clock, record, events } = openHub(t, { topics: { purchases: 1 } });
  const first = collect(await events());
  await clock.advance(1_000);
  const pad = 'x'.repeat(300_000);
  for (let i = 0; i < 20; i += 1) record(`old ${i}`, { pad });
  const before = first.ids.length;
  await settle(2);
  const second = collect(await events({ order: 'ARRIVAL' }));
  record('new');
  await clock.advance(flushMs);
  assert.ok(before < 20);
  assert.equal(first.ids.length, 21);
  assert.deepEqual(second.ids, ['new']);
});

test('an outage leaves subscriptions open and loses nothing', async (t) => {
  const { clock, kafka, hub, principal, record, events } = openHub(t);
  const received = collect(await events());
  record('a');
  await clock.advance(flushMs);
  kafka.setAvailable(false);
  await clock.advance(300_000);
  assert.equal(hub.countsOf(principal, 'purchases')?.state, 'DEGRADED');
  record('b', { partition: 0 });
  record('c', { partition: 2 });
  kafka.setAvailable(true);
  await clock.advance(flushMs);
  assert.equal(received.ended, false);
  assert.deepEqual(received.sortedIds, ['a', 'b', 'c']);
  assert.equal(hub.countsOf(principal, 'purchases')?.state, 'RUNNING');
});

test('partitions that are added are read from their beginning', async (t) => {
  const { clock, kafka, record, events } = openHub(t, { topics: { purchases: 1 } });
  const received = collect(await events());
  await clock.advance(1_000);
  kafka.addPartitions('purchases', 1);
  record('a', { partition: 1, agoMs: 1 });
  record('b', { partition: 1 });
  await clock.advance(flushMs);
  assert.deepEqual(received.ids, ['a', 'b']);
});

test('a dead-letter topic that is missing is waited for, and read from its beginning', async (t) => {
  const { clock, kafka, hub, use, principal } = openHub(t, { topics: { purchases: 1 } });
  const received = collect(await hub.deadLetters(principal, { topic: 'purchases' }));
  await clock.advance(60_000);
  kafka.createTopic('purchases-dlq', 1);
  // Even if it carries a producer's time from before the subscription.
  kafka.append('purchases-dlq', {
    value: '{"event":"first","error":"bad"}',
    timestampMs: clock.now() - 3_600_000,
  });
  await clock.advance(10_000);
  kafka.append('purchases-dlq', { value: '{"event":"second","error":"bad"}' });
  await clock.advance(1_000);
  assert.deepEqual(received.ids, ['first', 'second']);
  assert.equal(use.openReaders.size, 2);
});

test('those who wait for a dead-letter topic share what comes once it is there', async (t) => {
  const { clock, kafka, hub, principal } = openHub(t, { topics: { purchases: 1 } });
  const lastParcels = new Set<unknown>();
  const received: unknown[][] = [];
  for (let index = 0; index < 3; index += 1) {
    const subscription = await hub.deadLetters(principal, { topic: 'purchases' });
    const texts: unknown[] = [];
    received.push(texts);
    subscription.attach({
      backlogBytes: 0,
      deliver(parcel) {
        texts.push(...parcel.items.map(({ deadLetter }) => deadLetter.event));
        if (texts.length === 2 && parcel.items.length > 0) lastParcels.add(parcel);
      },
      whenTaken: (taken) => taken(),
      end: () => undefined,
    });
    await clock.advance(100);
  }
  kafka.createTopic('purchases-dlq', 1);
  for (const event of ['first', 'second']) {
    kafka.append('purchases-dlq', { value: JSON.stringify({ event, error: 'bad' }) });
    await clock.advance(20_000);
  }
  for (const texts of received) assert.deepEqual(texts, ['first', 'second']);
  assert.equal(lastParcels.size, 1);
});

test('records that retention took end the subscription, with their ranges', async (t) => {
  const { clock, kafka, record, events } = openHub(t, { topics: { purchases: 2 } });
  const received = collect(await events());
  await clock.advance(1_000);
  kafka.setAvailable(false);
  await clock.advance(1_000);
  for (let i = 0; i < 5; i += 1) record(`event ${i}`, { partition: 1 });
  kafka.deleteRecords('purchases', 1, 3);
  kafka.setAvailable(true);
  await clock.advance(1_000);
  assert.ok(received.error instanceof MillraceError);
  assert.equal(received.error.code, 'CURSOR_EXPIRED');
  assert.deepEqual(received.error.details.ranges, [{ partition: 1, from: 0, to: 3 }]);
});

test('a log that ends before what was read ends the subscription as truncated', async (t) => {
  const { clock, kafka, record, events } = openHub(t, { topics: { purchases: 1 } });
  const received = collect(await events({ order: 'ARRIVAL' }));
  for (let i = 0; i < 5; i += 1) record(`event ${i}`);
  await clock.advance(1_000);
  kafka.truncate('purchases', 0, 2);
  await clock.advance(1_000);
  assert.ok(received.error instanceof MillraceError);
  assert.equal(received.error.code, 'LOG_TRUNCATED');
  assert.deepEqual(received.error.details.ranges, [{ partition: 0, from: 2, to: 5 }]);
});

test('a fault of ours ends the feed, not the process, and the next subscriber gets a new feed', async (t) => {
  let faulty = true;
  const { clock, use, record, events } = openHub(t, {
    driver: (embedded) =>
      overridden(embedded, (client) => ({
        openReader: (options) =>
          client.openReader({
            ...options,
            onBatches: (batches) => {
              const wrong = batches.map((batch) => ({ ...batch, records: [unusable] }));
              options.onBatches(faulty ? wrong : batches);
            },
          }),
      })),
  });
  const lost = collect(await events());
  await clock.advance(1_000);
  assert.ok(lost.error instanceof Error);
  assert.equal(lost.error.message, 'a fault');
  assert.equal(use.openReaders.size, 0);
  faulty = false;
  const received = collect(await events());
  record('a');
  await clock.advance(flushMs);
  assert.deepEqual(received.ids, ['a']);
});

test('a partition that no longer answers holds the others back for no longer than it may stall', async (t) => {
  const { clock, kafka, record, events } = openHub(t);
  const received = collect(await events());
  await clock.advance(1_000);
  kafka.setPartitionAvailable('purchases', 2, false);
  record('a', { partition: 0 });
  await clock.advance(9_000);
  assert.deepEqual(received.ids, []);
  await clock.advance(5_000);
  assert.deepEqual(received.ids, ['a']);
});

test('while nothing answers, nothing that is held is given up as late', async (t) => {
  const { clock, kafka, record, events } = openHub(t);
  const received = collect(await events());
  await clock.advance(1_000);
  record('b', { partition: 0 });
  await clock.advance(100);
  kafka.setAvailable(false);
  record('a', { partition: 1, agoMs: 1_000 });
  await clock.advance(60_000);
  assert.deepEqual(received.ids, []);
  kafka.setAvailable(true);
  await clock.advance(flushMs);
  assert.deepEqual(received.ids, ['a', 'b']);
  assert.deepEqual(received.late, []);
});

test('a stream that nobody listens to is kept for a while and then dropped; what it did still counts', async (t) => {
  const { clock, hub, principal, record, events } = openHub(t, { topics: { purchases: 1 } });
  const stays = collect(await events({ order: 'ARRIVAL' }));
  const leaves = await events();
  await clock.advance(100);
  record('a');
  record('a');
  await clock.advance(flushMs);
  const counts = () => hub.countsOf(principal, 'purchases');
  const before = counts();
  assert.equal(before?.duplicates, 2);
  assert.equal(before?.delivered, 2);
  await leaves.return();
  record('held');
  await clock.advance(lingerMs / 2);
  const back = await events();
  await back.return();
  await clock.advance(lingerMs - 1_000);
  record('held too');
  await clock.advance(100);
  assert.equal(counts()?.held, 1, 'the stream is still kept: the last one left later');
  await clock.advance(900 + flushMs);
  record('not held');
  await clock.advance(100);
  assert.equal(counts()?.held, 0);
  assert.equal(counts()?.duplicates, 2);
  assert.equal(counts()?.delivered, 2 + 3);
  assert.equal(stays.ids.length, 4);
});

test('a feed says what it has done and how far it is behind', async (t) => {
  const { clock, kafka, hub, principal, record, events } = openHub(t, { topics: { purchases: 1 } });
  const counts = () => hub.countsOf(principal, 'purchases');
  assert.equal(counts(), undefined);
  const [subscription] = await Promise.all([events(), events()]);
  assert.equal(counts()?.state, 'STARTING');
  await clock.advance(1_000);
  assert.deepEqual(counts(), {
    state: 'RUNNING',
    subscribers: 2,
    received: 0,
    delivered: 0,
    duplicates: 0,
    late: 0,
    releasedEarly: 0,
    cutIntervals: 0,
    held: 0,
    lag: 0,
  });
  record('a');
  record('a');
  kafka.append('purchases', { value: '{' });
  await clock.advance(100);
  assert.equal(counts()?.held, 1);
  assert.equal(counts()?.received, 3);
  await clock.advance(flushMs);
  record('late', { agoMs: 60_000 });
  await clock.advance(flushMs);
  await subscription.return();
  assert.deepEqual(counts(), {
    state: 'RUNNING',
    subscribers: 1,
    received: 4,
    delivered: 4,
    duplicates: 1,
    late: 1,
    releasedEarly: 0,
    cutIntervals: 0,
    held: 0,
    lag: 0,
  });
  const pad = 'x'.repeat(400_000);
  for (let i = 0; i < 20; i += 1) record(`large ${i}`, { pad });
  await settle(2);
  assert.ok((counts()?.lag ?? 0) > 0);
});

/** A record over which our own code fails. */
const unusable: RawRecord = {
  offset: 0,
  timestampMs: Number.MAX_SAFE_INTEGER,
  key: null,
  get value(): never {
    throw new Error('a fault');
  },
};

/** A driver some of whose calls do something else. */
function overridden(
  driver: KafkaDriver,
  override: (client: KafkaClient) => Partial<KafkaClient>,
): KafkaDriver {
  return {
    name: driver.name,
    connect(sasl) {
      const client = driver.connect(sasl);
      return {
        login: () => client.login(),
        clusterId: () => client.clusterId(),
        listTopics: () => client.listTopics(),
        describeTopics: (topics) => client.describeTopics(topics),
        listOffsets: (topics, at) => client.listOffsets(topics, at),
        openReader: (options: ReaderOptions) => client.openReader(options),
        close: () => client.close(),
        ...override(client),
      };
    },
  };
}

test('a feed that degrades and recovers is logged once for each change', async (t) => {
  const { clock, kafka, log, events } = openHub(t);
  await events();
  await clock.advance(1_000);
  assert.equal(log.lines.length, 0);
  kafka.setAvailable(false);
  await clock.advance(60_000);
  kafka.setAvailable(true);
  await clock.advance(60_000);
  const [degraded, running, ...more] = log.lines;
  assert.equal(degraded?.level, 'warn');
  assert.equal(degraded['kafkaTopic'], 'purchases');
  assert.equal(degraded['code'], 'UNAVAILABLE');
  assert.equal(typeof degraded['reason'], 'string');
  assert.equal(running?.level, 'info');
  assert.match(running.msg, /running again/);
  assert.deepEqual(more, []);
});

test('a feed that fails is logged; a topic that never was is no warning', async (t) => {
  const { clock, kafka, log, events } = openHub(t, { topics: { purchases: 1 } });
  await assert.rejects(events({ topic: 'nothing' }), { code: 'TOPIC_NOT_FOUND' });
  collect(await events());
  await clock.advance(1_000);
  kafka.deleteTopic('purchases');
  await clock.advance(10_000);
  assert.deepEqual(
    log.lines
      .filter(({ msg }) => !msg.includes('degraded'))
      .map(({ level, kafkaTopic, code }) => [level, kafkaTopic, code]),
    [
      ['info', 'nothing', 'TOPIC_NOT_FOUND'],
      ['warn', 'purchases', 'TOPIC_NOT_FOUND'],
    ],
  );
});

test('a stream that is asked for later knows the ids from before, as the first one does', async (t) => {
  const { clock, record, events } = openHub(t, { topics: { purchases: 2 } });
  for (const id of ['a', 'b']) record(id);
  await clock.advance(1_000);
  const first = collect(await events());
  record('c');
  await clock.advance(5_000);
  const later = collect(await events({ order: 'ARRIVAL' }));
  for (const id of ['a', 'b', 'c', 'd']) record(id, { partition: 1 });
  await clock.advance(5_000);
  assert.deepEqual(first.ids, ['c', 'd']);
  assert.deepEqual(later.ids, ['d']);
});
