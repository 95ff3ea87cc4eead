import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/core/clock.ts';
import { countedDriver } from '../../../src/kafka/counted-driver.ts';
import { EmbeddedKafka } from '../../../src/kafka/embedded/embedded-kafka.ts';
import { KafkaError, type KafkaErrorCode } from '../../../src/kafka/port.ts';
import { until } from '../../support/until.ts';

function isUnavailable(error: unknown): boolean {
  return error instanceof KafkaError && error.code === 'UNAVAILABLE';
}

test('what fails is counted by its code and passed on, and nothing else', async (t) => {
  const kafka = new EmbeddedKafka({ clock: systemClock });
  kafka.createTopic('t', 1);
  const codes: KafkaErrorCode[] = [];
  const client = countedDriver(kafka.driver(), (code) => codes.push(code)).connect(null);
  t.after(() => client.close());
  assert.deepEqual(await client.listTopics(), ['t']);
  assert.equal((await client.describeTopics(['t'])).size, 1);
  assert.deepEqual(codes, []);

  const states: string[] = [];
  const reader = client.openReader({
    topic: 't',
    start: new Map([[0, 0]]),
    onBatches: () => undefined,
    onStatus: ({ state }) => states.push(state),
  });
  t.after(() => reader.close());
  await until('it to read', () => states.includes('running'));
  kafka.setAvailable(false);
  await until('it to be out of reach', () => states.includes('degraded'));
  assert.deepEqual(codes, ['UNAVAILABLE']);
  await assert.rejects(client.login(), isUnavailable);
  await assert.rejects(client.clusterId(), isUnavailable);
  assert.deepEqual(codes, ['UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE']);
});
