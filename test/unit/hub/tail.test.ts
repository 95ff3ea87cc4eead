import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EmbeddedKafka } from '../../../src/kafka/embedded/embedded-kafka.ts';
import { collect, lingerMs, openHub, principalOf } from '../../support/hub.ts';

test('the newest events by their own time come oldest first, each once', async (t) => {
  const { hub, principal, record } = openHub(t);
  for (let i = 0; i < 30; i += 1) record(`event ${i}`, { partition: i % 3, agoMs: 1_000 - i });
  record('event 29', { agoMs: 0 });
  record('oldest', { agoMs: 60_000 });
  const newest = async (last: number, id?: string) =>
    (
      await hub.newestEvents(
        principal,
        'purchases',
        last,
        id === undefined ? [] : [{ property: 'id', operator: 'EQ', value: id }],
      )
    ).map(({ event }) => event.id);
  assert.deepEqual(await newest(3), ['event 27', 'event 28', 'event 29']);
  const all = await newest(100);
  assert.deepEqual([all.length, all[0]], [31, 'oldest']);
  assert.deepEqual(await newest(3, 'event 5'), ['event 5']);
});

test('nothing comes of an empty topic, one that was emptied, or a hole', async (t) => {
  const { hub, kafka, principal, record, use } = openHub(t, { topics: { purchases: 2 } });
  const newest = () => hub.newestEvents(principal, 'purchases', 10, []);
  assert.deepEqual(await newest(), []);
  assert.equal(use.opened, 0, 'nothing is read of it');
  record('a');
  kafka.deleteRecords('purchases', 0, 1);
  assert.deepEqual(await newest(), []);
  kafka.appendHole('purchases', 1, 5);
  assert.deepEqual(await newest(), []);
});

test('dead letters of both sources come by the broker’s time; a missing dead-letter topic has none', async (t) => {
  const { clock, hub, kafka, principal } = openHub(t, { topics: { purchases: 1 } });
  const newest = async (last: number) =>
    (await hub.newestDeadLetters(principal, 'purchases', last)).map(
      ({ deadLetter }) => deadLetter.event,
    );
  kafka.append('purchases', { value: '{1' });
  assert.deepEqual(await newest(10), ['{1']);
  kafka.createTopic('purchases-dlq', 1);
  await clock.advance(1);
  kafka.append('purchases-dlq', { value: '{"event":"{2","error":"bad"}' });
  await clock.advance(1);
  kafka.append('purchases', { value: '{3' });
  assert.deepEqual(await newest(10), ['{1', '{2', '{3']);
  assert.deepEqual(await newest(2), ['{2', '{3']);
});

test('a topic that does not exist, and a cluster that cannot be reached, are told', async (t) => {
  const { clock, hub, kafka, principal, use } = openHub(t);
  await assert.rejects(hub.newestEvents(principal, 'nothing', 1, []), { code: 'TOPIC_NOT_FOUND' });
  await assert.rejects(hub.newestEvents(principalOf('acme', []), 'purchases', 1, []), {
    code: 'FORBIDDEN',
  });
  kafka.setAvailable(false);
  await assert.rejects(hub.newestEvents(principal, 'purchases', 1, []), {
    code: 'KAFKA_UNAVAILABLE',
  });
  await clock.advance(lingerMs);
  assert.deepEqual([use.openReaders.size, use.openClients, clock.pending], [0, 0, 0]);
});

/** Something that happens once, between the answer about the offsets and the reading. */
function beforeReading(t: Parameters<typeof openHub>[0], happens: (kafka: EmbeddedKafka) => void) {
  let pending = true;
  const opened = openHub(t, {
    topics: { purchases: 1 },
    driver: (embedded) => ({
      name: embedded.name,
      connect(sasl) {
        const client = embedded.connect(sasl);
        const openReader = client.openReader.bind(client);
        client.openReader = (options) => {
          if (pending) happens(opened.kafka);
          pending = false;
          return openReader(options);
        };
        return client;
      },
    }),
  });
  return opened;
}

test('reading that takes too long is given up', async (t) => {
  const { clock, hub, principal, record, use } = beforeReading(t, (kafka) =>
    kafka.setPartitionAvailable('purchases', 0, false),
  );
  record('a');
  const newest = hub.newestEvents(principal, 'purchases', 1, []);
  const refused = assert.rejects(newest, { code: 'KAFKA_UNAVAILABLE' });
  await clock.advance(10_000);
  await refused;
  assert.equal(use.openReaders.size, 0);
});

test('a cluster that never says where the log ends is given up', async (t) => {
  const { clock, hub, principal } = openHub(t, {
    driver: (embedded) => ({
      name: embedded.name,
      connect(sasl) {
        const client = embedded.connect(sasl);
        client.listOffsets = () => Promise.withResolvers<never>().promise;
        return client;
      },
    }),
  });
  const refused = assert.rejects(hub.newestEvents(principal, 'purchases', 1, []), {
    code: 'KAFKA_UNAVAILABLE',
  });
  await clock.advance(10_000);
  await refused;
});

test('when retention takes what was to be read, what is left is read', async (t) => {
  const { hub, principal, record } = beforeReading(t, (kafka) =>
    kafka.deleteRecords('purchases', 0, 2),
  );
  for (const id of ['a', 'b', 'c']) record(id);
  const newest = await hub.newestEvents(principal, 'purchases', 10, []);
  assert.deepEqual(
    newest.map(({ event }) => event.id),
    ['c'],
  );
});

test('looking at the newest events leaves subscriptions alone', async (t) => {
  const { clock, hub, principal, record, events, use } = openHub(t);
  const received = collect(await events());
  record('a');
  await hub.newestEvents(principal, 'purchases', 10, []);
  await clock.advance(4_000);
  assert.deepEqual(received.ids, ['a']);
  assert.deepEqual([use.connected, use.openReaders.size], [1, 1]);
});

test('much is read for little, and what is read for nothing is not held', async (t) => {
  const { hub, principal, record } = openHub(t, { options: { maxRecentBytes: 64 * 1024 } });
  const pad = 'x'.repeat(10_000);
  for (let i = 0; i < 60; i += 1) record(`event ${i}`, { partition: i % 3, pad, agoMs: 60 - i });
  const newest = (last: number, id?: string) =>
    hub.newestEvents(
      principal,
      'purchases',
      last,
      id === undefined ? [] : [{ property: 'id', operator: 'EQ', value: id }],
    );
  assert.deepEqual(
    (await newest(1, 'event 7')).map(({ event }) => event.id),
    ['event 7'],
  );
  assert.deepEqual(
    (await newest(6)).map(({ event }) => event.id),
    [54, 55, 56, 57, 58, 59].map((i) => `event ${i}`),
  );
  await assert.rejects(newest(7), {
    code: 'LIMIT_EXCEEDED',
    details: { limit: 'limits.recentBytes' },
  });
});

test('the bytes of dead letters are bounded over both sources', async (t) => {
  const { hub, kafka, principal } = openHub(t, {
    topics: { purchases: 1, 'purchases-dlq': 1 },
    options: { maxRecentBytes: 20_000 },
  });
  const text = '{'.padEnd(12_000, 'x');
  kafka.append('purchases', { value: text });
  kafka.append('purchases-dlq', { value: JSON.stringify({ event: text, error: 'bad' }) });
  assert.equal((await hub.newestDeadLetters(principal, 'purchases', 1)).length, 1);
  await assert.rejects(hub.newestDeadLetters(principal, 'purchases', 2), {
    code: 'LIMIT_EXCEEDED',
    details: { limit: 'limits.recentBytes' },
  });
});

test('a project may look for so much at a time, and again when it is done', async (t) => {
  const { hub, principal, record } = openHub(t);
  record('a');
  const newest = (by = principal) => hub.newestEvents(by, 'purchases', 1, []);
  const two = [newest(), newest()];
  await assert.rejects(newest(), {
    code: 'LIMIT_EXCEEDED',
    details: { limit: 'limits.recentReadersPerProject' },
  });
  assert.equal((await newest(principalOf('globex'))).length, 1);
  await Promise.all(two);
  assert.equal((await newest()).length, 1);
  await assert.rejects(hub.newestEvents(principal, 'nothing', 1, []), { code: 'TOPIC_NOT_FOUND' });
  assert.equal((await hub.newestDeadLetters(principal, 'purchases', 1)).length, 0);
});
