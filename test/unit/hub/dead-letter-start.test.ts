import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KafkaDriver } from '../../../src/kafka/port.ts';
import { collect, openHub } from '../../support/hub.ts';

/** A driver whose clients learn where the topic `purchases` stands only when `opened` has resolved. */
function gated(driver: KafkaDriver, opened: Promise<void>): KafkaDriver {
  return {
    name: driver.name,
    connect(sasl) {
      const client = driver.connect(sasl);
      return {
        login: () => client.login(),
        clusterId: () => client.clusterId(),
        listTopics: () => client.listTopics(),
        describeTopics: (topics) => client.describeTopics(topics),
        async listOffsets(topics, at) {
          if (topics.includes('purchases')) await opened;
          return client.listOffsets(topics, at);
        },
        openReader: (options) => client.openReader(options),
        close: () => client.close(),
      };
    },
  };
}

const upstream = (event: string) => ({ value: JSON.stringify({ event, error: 'bad' }) });

test('who comes back while one of the two topics cannot be read yet misses nothing', async (t) => {
  const first = openHub(t, { topics: { purchases: 1, 'purchases-dlq': 1 } });
  const { clock, kafka } = first;
  const accepted = first.hub.deadLetters(first.principal, { topic: 'purchases' });
  await clock.advance(100);
  const before = collect(await accepted);
  kafka.append('purchases-dlq', upstream('a'));
  await clock.advance(1_000);
  const after = before.cursors.at(-1);
  assert.ok(after);
  const gate = Promise.withResolvers<void>();
  const { hub, principal } = openHub(t, {
    topics: {},
    options: { clock },
    driver: () => gated(kafka.driver(), gate.promise),
  });
  const again = hub.deadLetters(principal, { topic: 'purchases', after });
  await clock.advance(1_000);
  kafka.append('purchases-dlq', upstream('b'));
  await clock.advance(1_500);
  const received = collect(await again);
  gate.resolve();
  kafka.append('purchases-dlq', upstream('c'));
  await clock.advance(5_000);
  assert.deepEqual(received.ids, ['b', 'c']);
});

test('what came before both topics could be read is behind the cursor of the beginning', async (t) => {
  const gate = Promise.withResolvers<void>();
  const { hub, principal, clock, kafka } = openHub(t, {
    topics: { purchases: 1, 'purchases-dlq': 1 },
    driver: (embedded) => gated(embedded, gate.promise),
  });
  const accepted = hub.deadLetters(principal, { topic: 'purchases' });
  await clock.advance(1_000);
  kafka.append('purchases-dlq', upstream('a'));
  await clock.advance(1_500);
  const subscription = await accepted;
  gate.resolve();
  await clock.advance(1_000);
  const { startCursor } = subscription;
  assert.ok(startCursor);
  const again = hub.deadLetters(principal, { topic: 'purchases', after: startCursor });
  await clock.advance(1_000);
  const received = [collect(subscription), collect(await again)];
  await clock.advance(1_000);
  assert.deepEqual(
    received.map(({ ids }) => ids),
    [['a'], ['a']],
  );
});
