import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { KafkaAccess } from '../../../scripts/kafka/access.ts';
import { freePorts } from '../../../scripts/kafka/ports.ts';
import type { Config } from '../../../src/config/config.ts';
import { createKafkajsDriver } from '../../../src/kafka/kafkajs/driver.ts';
import { createPlatformaticDriver } from '../../../src/kafka/platformatic/driver.ts';
import { temporaryDirectory } from '../../support/config-file.ts';
import {
  type GraphqlResult,
  type Login,
  query,
  subscribers,
  webSocketClient,
} from '../../support/graphql-client.ts';
import { openProducer, privateTopic, sharedCluster, testTenants } from '../../support/kafka.ts';
import { feedIs, runServer, testConfig } from '../../support/server.ts';
import { countLogins } from './count-logins.ts';
import { type KafkaClientName, kafkaClients, projectTopic } from './real-server.ts';

const [acme, globex] = testTenants.projects;
const login: Login = { projectId: acme.id, key: acme.keys[0] };
const clientsAtOnce = 50;

const createDriver = { kafkajs: createKafkajsDriver, platformatic: createPlatformaticDriver };

for (const client of kafkaClients) {
  test(`${client}: a project subscribes with the key that the cluster knows`, async (t) => {
    const kafka = await sharedCluster();
    const { name, kafkaTopic } = await projectTopic(t, kafka, 'own', { partitions: 3 });
    const server = await runServer(t, clientConfig(t, kafka, client));
    const received = subscribers['graphql-ws'](t, {
      url: server.url,
      login,
      query: 'subscription($topic: String!) { events(topic: $topic, order: ARRIVAL) { id } }',
      variables: { topic: name },
    });
    await feedIs(server, kafkaTopic);
    const producer = await openProducer(t, kafka);
    await producer.send(kafkaTopic, [{ value: '{"keen":{"id":"own"}}' }]);
    const [result] = await received.atLeast(1);
    assert.deepEqual(result?.data, { events: { id: 'own' } });
  });

  test(`${client}: a wrong key and an unknown project get the very same answer`, async (t) => {
    const kafka = await sharedCluster();
    const { url } = await runServer(t, clientConfig(t, kafka, client));
    const refused: Login[] = [
      { projectId: acme.id, key: 'wrong' },
      { projectId: acme.id, key: globex.keys[0] },
      { projectId: 'nobody', key: 'wrong' },
    ];
    for (const one of refused) {
      const { status, body } = await query(url, one, '{ project { id } }');
      assert.equal(status, 401);
      assert.deepEqual(errorsOf(body), [
        { code: 'UNAUTHENTICATED', message: 'unknown project or wrong key' },
      ]);
      assert.deepEqual(await closeOf(t, url, one), {
        code: 4403,
        reason: 'unknown project or wrong key',
      });
    }
  });

  for (const topicTemplate of ['{projectId}.{topic}', '{topic}']) {
    test(`${client}: with ${topicTemplate}, another project's topic looks like none`, async (t) => {
      const kafka = await sharedCluster();
      const foreign = await privateTopic(t, kafka, `${globex.id}.secret`);
      const config = clientConfig(t, kafka, client, {
        MILLRACE_KAFKA_TOPIC_TEMPLATE: topicTemplate,
      });
      const { url } = await runServer(t, config);
      const prefixed = topicTemplate === '{topic}';
      const existing = prefixed ? foreign : foreign.slice(`${globex.id}.`.length);
      const missing = prefixed
        ? [`${globex.id}.missing`, `${acme.id}.missing`, 'missing']
        : ['missing'];
      const answers = await Promise.all(
        [existing, ...missing].map((name) => answersAbout(t, url, name)),
      );
      const [first, ...others] = answers;
      assert.deepEqual(first?.subscription, [
        {
          code: 'TOPIC_NOT_FOUND',
          message:
            'this project has no topic "X"; the query { topics { name } } lists those it has',
        },
      ]);
      assert.deepEqual(first.topic.body, { data: { topic: null } });
      for (const other of others) assert.deepEqual(other, first);
    });
  }

  test(`${client}: ${clientsAtOnce} clients at once with one key are one login`, async (t) => {
    const kafka = await sharedCluster();
    const { name, kafkaTopic } = await projectTopic(t, kafka, 'many', { partitions: 3 });
    // No login of the minute is to be verified again.
    const config = clientConfig(t, kafka, client, { MILLRACE_KAFKA_LOGIN_PROBE_INTERVAL: '1m' });
    const counted = countLogins(createDriver[client](config.kafka));
    const server = await runServer(t, config, { driver: counted.driver });
    const all = Array.from({ length: clientsAtOnce }, () =>
      subscribers['graphql-ws'](t, {
        url: server.url,
        login,
        query: 'subscription($topic: String!) { events(topic: $topic, order: ARRIVAL) { id } }',
        variables: { topic: name },
      }),
    );
    await feedIs(server, kafkaTopic, { subscribers: clientsAtOnce });
    const producer = await openProducer(t, kafka);
    await producer.send(kafkaTopic, [{ value: '{"keen":{"id":"for all"}}' }]);
    for (const one of all) {
      const [result] = await one.atLeast(1);
      assert.deepEqual(result?.data, { events: { id: 'for all' } });
    }
    assert.equal(counted.logins, 1);
    // One to verify the key, one to read with.
    assert.equal(counted.clients, 2);
  });

  test(`${client}: a key that no cluster can be asked about is not refused as wrong`, async (t) => {
    const kafka = await sharedCluster();
    const [port] = await freePorts(1);
    const config = clientConfig(t, kafka, client, { MILLRACE_KAFKA_BROKERS: `127.0.0.1:${port}` });
    const { url } = await runServer(t, config);
    const message = 'the Kafka cluster cannot be reached, so the key cannot be verified';
    const { status, body } = await query(url, login, '{ project { id } }');
    assert.equal(status, 503);
    assert.deepEqual(errorsOf(body), [{ code: 'KAFKA_UNAVAILABLE', message }]);
    assert.deepEqual(await closeOf(t, url, login), { code: 1013, reason: message });
  });
}

/** Each project logs in over TLS as itself. */
function clientConfig(
  t: TestContext,
  kafka: KafkaAccess,
  client: KafkaClientName,
  settings: Readonly<Record<string, string>> = {},
): Config {
  const caFile = join(temporaryDirectory(t), 'ca.pem');
  writeFileSync(caFile, kafka.caPem);
  return testConfig({
    MILLRACE_KAFKA_CLIENT: client,
    MILLRACE_KAFKA_BROKERS: kafka.bootstrap('saslSsl').join(),
    MILLRACE_KAFKA_SSL_CA_FILE: caFile,
    MILLRACE_KAFKA_CREDENTIALS: 'client',
    MILLRACE_AUTH_PROJECTS: '',
    ...settings,
  });
}

/** Everything that acme can ask about a topic, with the topic's name left out of the answers. */
async function answersAbout(t: TestContext, url: string, name: string) {
  const nameless = (errors: ReturnType<typeof errorsIn>) =>
    errors.map(({ code, message }) => ({ code, message: message.replaceAll(name, 'X') }));
  const refusalOf = (field: 'events' | 'deadLetters', selection: string) => {
    const { ended } = subscribers['graphql-ws'](t, {
      url,
      login,
      query: `subscription($topic: String!) { ${field}(topic: $topic) { ${selection} } }`,
      variables: { topic: name },
    });
    return ended.then((errors) => nameless(errorsIn(errors)));
  };
  const [subscription, deadLetters, recent, topic] = await Promise.all([
    refusalOf('events', 'id'),
    refusalOf('deadLetters', 'event'),
    query(url, login, 'query($topic: String!) { recentEvents(topic: $topic) { id } }', {
      topic: name,
    }),
    query(url, login, 'query($topic: String!) { topic(name: $topic) { name } }', { topic: name }),
  ]);
  return {
    subscription,
    deadLetters,
    recent: { status: recent.status, errors: nameless(errorsOf(recent.body)) },
    topic,
  };
}

function errorsOf({ errors = [] }: GraphqlResult) {
  return errorsIn(errors);
}

function errorsIn(errors: unknown): { code: string; message: string }[] {
  assert.ok(Array.isArray(errors), JSON.stringify(errors));
  return errors.map(({ message, extensions }) => ({ code: extensions?.code, message }));
}

/** With what a socket of this login is closed. */
async function closeOf(
  t: TestContext,
  url: string,
  credentials: Login,
): Promise<{ code: unknown; reason: unknown }> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  webSocketClient(t, url, credentials).subscribe(
    { query: '{ project { id } }' },
    { next: resolve, error: resolve, complete: () => resolve(undefined) },
  );
  const { code, reason } = Object(await promise);
  return { code, reason };
}
