import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { EmbeddedKafka } from '../../../src/kafka/embedded/embedded-kafka.ts';
import type { KafkaDriver } from '../../../src/kafka/port.ts';
import { query, subscribers } from '../../support/graphql-client.ts';
import { feedIs, runEmbedded, runServer, testConfig } from '../../support/server.ts';

const login = { projectId: 'acme', key: 'acme-read' };

function event(id: string, timestampMs: number, more: Record<string, unknown> = {}): string {
  return JSON.stringify({ keen: { id, timestamp: new Date(timestampMs).toISOString() }, ...more });
}

test('topics are those of the project that the key may read, each with its dead letters', async (t) => {
  const { server, kafka } = await runEmbedded(t, {
    topics: ['acme.purchases', 'acme.purchases-dlq', 'acme.signups', 'globex.secret'],
  });
  kafka.append('acme.purchases', { partition: 1, value: '{}' });
  const text =
    '{ topics { name kafkaTopic partitions { id earliestOffset latestOffset } deadLetters { name } feed { state subscribers } } }';
  const partitions = [0, 1, 2].map((id) => ({
    id,
    earliestOffset: '0',
    latestOffset: id === 1 ? '1' : '0',
  }));
  const feed = { state: 'IDLE', subscribers: 0 };
  const signups = {
    name: 'signups',
    kafkaTopic: 'acme.signups',
    partitions: partitions.map((partition) => ({ ...partition, latestOffset: '0' })),
    deadLetters: null,
    feed,
  };
  assert.deepEqual((await query(server.url, login, text)).body.data?.['topics'], [
    {
      name: 'purchases',
      kafkaTopic: 'acme.purchases',
      partitions,
      deadLetters: { name: 'purchases-dlq' },
      feed,
    },
    signups,
  ]);
  const narrow = await query(server.url, { ...login, key: 'acme-narrow' }, text);
  assert.deepEqual(narrow.body.data?.['topics'], [signups]);
});

test('a topic that is not there and one of another project are both null', async (t) => {
  const { server } = await runEmbedded(t, { topics: ['acme.purchases', 'globex.secret'] });
  const { body } = await query(
    server.url,
    login,
    '{ none: topic(name: "none") { name } other: topic(name: "secret") { name } own: topic(name: "purchases") { name } }',
  );
  assert.deepEqual(body.data, { none: null, other: null, own: { name: 'purchases' } });
});

test('a feed tells what it is doing', async (t) => {
  const { server, kafka } = await runEmbedded(t, { topics: ['acme.purchases'] });
  const received = subscribers['graphql-ws'](t, {
    url: server.url,
    login,
    query: 'subscription { events(topic: "purchases") { id late } }',
  });
  await feedIs(server, 'acme.purchases');
  const now = Date.now();
  kafka.append('acme.purchases', { value: event('a', now) });
  kafka.append('acme.purchases', { value: event('a', now) });
  kafka.append('acme.purchases', { value: event('b', now - 60_000) });
  await received.atLeast(2);
  const { body } = await query(
    server.url,
    login,
    '{ topic(name: "purchases") { feed { state subscribers received delivered duplicates late held lag } } }',
  );
  assert.deepEqual(body.data?.['topic'], {
    feed: {
      state: 'RUNNING',
      subscribers: 1,
      received: '3',
      delivered: '2',
      duplicates: '1',
      late: '1',
      held: 0,
      lag: '0',
    },
  });
});

test('recent events are the newest by their own time, oldest first, without duplicates', async (t) => {
  const { server, kafka } = await runEmbedded(t, { topics: ['acme.purchases'] });
  for (let index = 0; index < 30; index += 1) {
    kafka.append('acme.purchases', {
      value: event(`e${index}`, 1_000_000 - index, { even: index % 2 === 0 }),
    });
    kafka.append('acme.purchases', { value: event(`e${index}`, 1_000_000 - index) });
  }
  const recent = async (args: string): Promise<unknown> => {
    const text = `{ recentEvents(topic: "purchases", ${args}) { id } }`;
    const { body } = await query(server.url, login, text);
    const events = body.data?.['recentEvents'];
    return Array.isArray(events) ? events.map(({ id }) => id) : body.errors;
  };
  assert.deepEqual(await recent('last: 3'), ['e2', 'e1', 'e0']);
  assert.deepEqual(await recent('last: 2, where: [{ property: "even", value: true }]'), [
    'e2',
    'e0',
  ]);
  const [refusal] = [await recent('last: 100000')].flat();
  assert.equal(Object(refusal).extensions.code, 'LIMIT_EXCEEDED');
});

test('recent dead letters are of both sources', async (t) => {
  const { server, kafka } = await runEmbedded(t, {
    topics: ['acme.purchases', 'acme.purchases-dlq'],
  });
  const now = Date.now();
  kafka.append('acme.purchases', { value: 'not JSON', timestampMs: now });
  kafka.append('acme.purchases-dlq', {
    value: '{"event":"{","error":"bad"}',
    timestampMs: now + 1,
  });
  const { body } = await query(
    server.url,
    login,
    '{ recentDeadLetters(topic: "purchases") { event source } }',
  );
  assert.deepEqual(body.data?.['recentDeadLetters'], [
    { event: 'not JSON', source: 'BRIDGE' },
    { event: '{', source: 'UPSTREAM' },
  ]);
});

test('a query over many topics asks the cluster once for each kind of thing', async (t) => {
  const kafka = new EmbeddedKafka({ clock: systemClock });
  for (let index = 0; index < 20; index += 1) kafka.createTopic(`acme.t${index}`, 3);
  const requests: string[] = [];
  const driver = counting(kafka.driver(), requests);
  const server = await runServer(t, testConfig(), { driver });
  const text = '{ topics { name partitions { latestOffset } deadLetters { name } } }';
  const { body } = await query(server.url, login, text);
  assert.ok(Array.isArray(body.data?.['topics']));
  assert.equal(body.data['topics'].length, 20);
  assert.deepEqual(requests.toSorted(), [
    'describeTopics 20',
    'listOffsets 20',
    'listOffsets 20',
    'listTopics',
  ]);
});

test('while Kafka cannot be reached a query says so, and a subscription waits', async (t) => {
  const { server, kafka } = await runEmbedded(t, { topics: ['acme.purchases'] });
  kafka.setAvailable(false);
  const { body } = await query(server.url, login, '{ topics { name } }');
  assert.equal(body.errors?.[0]?.extensions?.['code'], 'KAFKA_UNAVAILABLE');
  const received = subscribers['graphql-ws'](t, {
    url: server.url,
    login,
    query: 'subscription { events(topic: "purchases", order: ARRIVAL) { id } }',
  });
  await feedIs(server, 'acme.purchases', { state: 'DEGRADED' });
  const feed = await query(
    server.url,
    login,
    '{ topic(name: "purchases") { name feed { state } } unread: topic(name: "signups") { name } }',
  );
  assert.deepEqual(feed.body.data, {
    topic: { name: 'purchases', feed: { state: 'DEGRADED' } },
    unread: null,
  });
  assert.equal(feed.body.errors?.[0]?.extensions?.['code'], 'KAFKA_UNAVAILABLE');
  // Recorded after the subscription was accepted, while nobody can read it.
  kafka.append('acme.purchases', { value: event('during', Date.now()) });
  kafka.setAvailable(true);
  const [result] = await received.atLeast(1);
  assert.deepEqual(result?.data, { events: { id: 'during' } });
});

function counting(driver: KafkaDriver, requests: string[]): KafkaDriver {
  return {
    name: driver.name,
    connect(sasl) {
      const client = driver.connect(sasl);
      return new Proxy(client, {
        get(target, name) {
          const member: unknown = Reflect.get(target, name);
          if (typeof member !== 'function') return member;
          return (...args: unknown[]): unknown => {
            const [topics] = args;
            requests.push(
              Array.isArray(topics) ? `${String(name)} ${topics.length}` : String(name),
            );
            return Reflect.apply(member, target, args);
          };
        },
      });
    },
  };
}
