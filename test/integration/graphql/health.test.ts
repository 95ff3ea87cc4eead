import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { freePorts } from '../../../scripts/kafka/ports.ts';
import { subscribers } from '../../support/graphql-client.ts';
import { feedIs, runEmbedded } from '../../support/server.ts';

const topics = ['acme.purchases'];

async function health(url: string, name: string): Promise<[status: number, body: unknown]> {
  const response = await fetch(`${url}/health/${name}`);
  return [response.status, await response.json()];
}

test('with a login of its own the server is ready when the cluster lets it in', async (t) => {
  const { server } = await runEmbedded(t, { topics });
  assert.deepEqual(await health(server.url, 'ready'), [200, { status: 'ready' }]);
  const other = await runEmbedded(t, { topics });
  other.kafka.setAvailable(false);
  const reason = 'Kafka cannot be reached';
  assert.deepEqual(await health(other.server.url, 'ready'), [503, { status: 'degraded', reason }]);
  assert.deepEqual(await health(other.server.url, 'live'), [200, { status: 'ok' }]);
});

test('with the logins of its clients it is not ready while none of its feeds can be read', async (t) => {
  const { server, kafka } = await runEmbedded(t, {
    topics,
    settings: { MILLRACE_KAFKA_CREDENTIALS: 'client', MILLRACE_AUTH_PROJECTS: '[]' },
  });
  assert.deepEqual(await health(server.url, 'ready'), [200, { status: 'ready' }]);
  subscribers['graphql-ws'](t, {
    url: server.url,
    login: { projectId: 'acme', key: 'any' },
    query: 'subscription { events(topic: "purchases", order: ARRIVAL) { id } }',
  });
  await feedIs(server, 'acme.purchases');
  kafka.setAvailable(false);
  await feedIs(server, 'acme.purchases', { state: 'DEGRADED' });
  const [status] = await health(server.url, 'ready');
  assert.equal(status, 503);
  kafka.setAvailable(true);
  await feedIs(server, 'acme.purchases');
  assert.deepEqual(await health(server.url, 'ready'), [200, { status: 'ready' }]);
});

/** A server whose clients log in to these brokers themselves. */
async function withBroker(t: TestContext, broker: string): Promise<string> {
  const { server } = await runEmbedded(t, {
    topics,
    settings: {
      MILLRACE_KAFKA_CLIENT: 'kafkajs',
      MILLRACE_KAFKA_BROKERS: broker,
      MILLRACE_KAFKA_CREDENTIALS: 'client',
      MILLRACE_AUTH_PROJECTS: '[]',
    },
  });
  return server.url;
}

test('with the logins of its clients, and nobody there yet, it is not ready while no broker takes connections', async (t) => {
  // Of those that the system does not deal out to others when it is free again.
  const [port = 0] = await freePorts(1);
  const broker = createServer().listen(port, '127.0.0.1');
  await once(broker, 'listening');
  const address = `127.0.0.1:${port}`;
  assert.deepEqual(await health(await withBroker(t, address), 'ready'), [200, { status: 'ready' }]);
  broker.close();
  await once(broker, 'close');
  const url = await withBroker(t, address);
  const reason = 'Kafka cannot be reached';
  assert.deepEqual(await health(url, 'ready'), [503, { status: 'degraded', reason }]);
  assert.deepEqual(await health(url, 'live'), [200, { status: 'ok' }]);
});
