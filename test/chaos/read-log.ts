import { randomUUID } from 'node:crypto';
import type { KafkaAccess, PartitionRange } from '../../scripts/kafka/access.ts';
import { until } from '../support/until.ts';
import { LogCopy } from './log-copy.ts';

/** Reads a topic from its beginning to its end by a consumer of kafkajs: a witness that owes Millrace nothing. */
export async function readLog(kafka: KafkaAccess, topic: string): Promise<LogCopy> {
  const ends = await kafka.offsets(topic);
  const copy = new LogCopy();
  const reached = new Map<number, number>();
  const consumer = kafka.client('chaos-witness').consumer({
    groupId: `witness-${randomUUID()}`,
    allowAutoTopicCreation: false,
    maxWaitTimeInMs: 100,
  });
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch: { partition, messages } }) => {
        for (const { offset, value } of messages) {
          const place = { partition, offset: Number(offset) };
          copy.put(JSON.parse(String(value)).keen.id, place);
          reached.set(partition, place.offset + 1);
        }
      },
    });
    const isRead = ({ partition, high }: PartitionRange): boolean =>
      (reached.get(partition) ?? 0) >= high;
    await until(`all of ${topic} to be read`, () => ends.every(isRead), 60_000);
  } finally {
    await consumer.disconnect();
  }
  return copy;
}
