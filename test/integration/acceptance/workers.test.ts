import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { subscribers } from '../../support/graphql-client.ts';
import { openProducer, sharedCluster, testTenants } from '../../support/kafka.ts';
import { startMillrace } from '../../support/millrace.ts';
import { testProjects } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import { projectTopic, reader } from './real-server.ts';

const sockets = 12;
const count = 200;
const [bridge] = testTenants.users;

test('clients of all workers get the same events in the same order', async (t) => {
  const kafka = await sharedCluster();
  const { name, kafkaTopic } = await projectTopic(t, kafka, 'workers', { partitions: 3 });
  const child = startMillrace(t, ['serve'], {
    env: {
      MILLRACE_WORKERS: '3',
      MILLRACE_LISTEN_PORT: '0',
      MILLRACE_KAFKA_BROKERS: kafka.bootstrap('saslPlaintext').join(),
      MILLRACE_KAFKA_CREDENTIALS: 'service',
      MILLRACE_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
      MILLRACE_KAFKA_SASL_USERNAME: bridge.name,
      MILLRACE_KAFKA_SASL_PASSWORD: bridge.password,
      MILLRACE_KAFKA_TOPIC_TEMPLATE: '{projectId}.{topic}',
      MILLRACE_AUTH_PROJECTS: JSON.stringify(testProjects),
      MILLRACE_TOPICS_DEFAULTS_LATENESS: '3s',
    },
  });
  child.stderr.resume();
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const { value: line } = await lines.next();
  const [url] = /http:\S+/.exec(line ?? '') ?? assert.fail(line);

  const received = Array.from({ length: sockets }, () =>
    subscribers['graphql-ws'](t, {
      url,
      login: reader,
      query: 'subscription($topic: String!) { events(topic: $topic) { id } }',
      variables: { topic: name },
    }),
  );
  const idsOf = ({ results }: (typeof received)[number]): string[] =>
    results.map(({ data }) => Object(data)['events'].id);
  const producer = await openProducer(t, kafka);
  // Nobody tells from outside when a subscription has begun: when everyone has an event, all have.
  let begins = 0;
  await until('every subscription to have begun', async () => {
    begins += 1;
    await producer.send(kafkaTopic, [{ value: `{"keen":{"id":"begin-${begins}"}}` }]);
    return received.every(({ results }) => results.length > 0);
  });
  const nowMs = Date.now();
  const backwards = Array.from({ length: count }, (_, index) => {
    const timestamp = new Date(nowMs - index).toISOString();
    return { partition: index % 3, value: JSON.stringify({ keen: { id: `${index}`, timestamp } }) };
  });
  await producer.send(kafkaTopic, backwards);

  const expected = Array.from({ length: count }, (_, index) => String(count - 1 - index));
  await until('all events with everyone', () =>
    received.every((subscriber) => idsOf(subscriber).includes('0')),
  );
  for (const subscriber of received) {
    const ids = idsOf(subscriber).filter((id) => !id.startsWith('begin'));
    assert.deepEqual(ids, expected);
  }
});
