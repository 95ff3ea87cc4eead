import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { EmbeddedKafka } from '../../../src/kafka/embedded/embedded-kafka.ts';
import { captureLog } from '../../support/captured-log.ts';
import { describe, query, subscribers } from '../../support/graphql-client.ts';
import { runServer, testConfig } from '../../support/server.ts';

const login = { projectId: 'acme', key: 'acme-read' };

test('a wrong password of the service is not blamed on clients, but logged', async (t) => {
  const users = [{ username: 'bridge', password: 'right' }];
  const kafka = new EmbeddedKafka({ clock: systemClock, users });
  kafka.createTopic('acme.purchases', 1);
  const config = testConfig({
    MILLRACE_KAFKA_SASL_MECHANISM: 'PLAIN',
    MILLRACE_KAFKA_SASL_USERNAME: 'bridge',
    MILLRACE_KAFKA_SASL_PASSWORD: 'of last year',
  });
  const log = captureLog();
  const { url } = await runServer(t, config, { driver: kafka.driver(), logger: log.logger });
  for (const text of [
    '{ topics { name } }',
    '{ topic(name: "purchases") { name } }',
    '{ recentEvents(topic: "purchases", last: 1) { id } }',
  ]) {
    const [error] = (await query(url, login, text)).body.errors ?? [];
    assert.equal(error?.extensions?.['code'], 'KAFKA_UNAVAILABLE', text);
    assert.doesNotMatch(error.message, /credentials|try again/);
  }
  const received = subscribers['graphql-ws'](t, {
    url,
    login,
    query: 'subscription { events(topic: "purchases") { id } }',
  });
  assert.match(describe(await received.ended), /KAFKA_UNAVAILABLE/);
  const line = await log.logged('Kafka refuses the login of this server');
  assert.equal(line.level, 'error');
  assert.equal(JSON.stringify(log.lines).includes('of last year'), false);
});
