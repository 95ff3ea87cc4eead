import { randomUUID } from 'node:crypto';
import type { TestContext } from 'node:test';
import type { KafkaClient, KafkaSasl } from '../../../src/kafka/port.ts';
import type { ConnectionOverrides, KafkaPortSetup, ProducedRecord } from './setup.ts';

/** A name that no other test uses. */
export function topicName(prefix = 'port.'): string {
  return `${prefix}${randomUUID()}`;
}

export async function freshTopic(
  setup: KafkaPortSetup,
  partitions: number,
  config?: Record<string, string>,
): Promise<string> {
  const topic = topicName();
  await setup.createTopic(topic, partitions, config);
  return topic;
}

/** A client that is closed when the test ends. */
export function clientOf(
  t: TestContext,
  setup: KafkaPortSetup,
  sasl: KafkaSasl | null,
  overrides?: ConnectionOverrides,
): KafkaClient {
  const client = setup.connect(sasl, overrides);
  t.after(() => client.close());
  return client;
}

export function adminClient(
  t: TestContext,
  setup: KafkaPortSetup,
  overrides?: ConnectionOverrides,
): KafkaClient {
  return clientOf(t, setup, null, overrides);
}

/** Records whose values say where they lie (and then `filler`), if the partition ends at `from`. */
export function numbered(
  partition: number,
  from: number,
  count: number,
  filler = '',
): ProducedRecord[] {
  return Array.from({ length: count }, (_, index) => ({
    partition,
    key: `k${from + index}`,
    value: `${partition}/${from + index}${filler}`,
  }));
}
