import type { Clock } from '../core/clock.ts';
import type { DeadLetter, Event } from '../decode/event.ts';
import {
  type KafkaClient,
  KafkaError,
  type PartitionOffsets,
  type RawRecord,
} from '../kafka/port.ts';
import type { Newest } from './newest.ts';

export interface TailOptions {
  readonly client: KafkaClient;
  readonly kafkaTopic: string;
  readonly decode: (partition: number, record: RawRecord) => Event | DeadLetter;
  /** How many of the newest records of each partition to read at the most. */
  readonly perPartition: number;
  readonly clock: Clock;
}

/** The newest of a topic. */
export interface Tail<Item> {
  readonly items: Item[];
  /** The end of the log up to which was read. */
  readonly end: PartitionOffsets;
}

/** How long the cluster may take to answer for a whole tail, in milliseconds. */
const patienceMs = 10_000;
/** How often the tail is looked for anew when retention passed it before it was read. */
const maxAttempts = 3;

/**
 * Reads the newest records of each partition up to the end of the log as it is now, decodes them and
 * picks the answer out of them as they come: all of them together may be far too much to hold.
 * Rejects with `KafkaError`, `UNAVAILABLE` when it takes too long, and with what `Newest` throws.
 *
 * @param pick called for each attempt
 */
export async function readTail<Item>(
  options: TailOptions,
  pick: () => Newest<Item>,
): Promise<Tail<Item>> {
  const giveUp = Promise.withResolvers<never>();
  // Looked at only while something is waited for.
  giveUp.promise.catch(() => undefined);
  const timer = options.clock.schedule(patienceMs, () => {
    const { kafkaTopic } = options;
    giveUp.reject(new KafkaError('UNAVAILABLE', `reading the tail of ${kafkaTopic} took too long`));
  });
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const newest = pick();
        const end = await readOnce(options, newest, giveUp.promise);
        return { items: newest.answer(), end };
      } catch (error) {
        const isPassed = error instanceof KafkaError && error.code === 'OFFSET_OUT_OF_RANGE';
        if (!isPassed || attempt === maxAttempts) throw error;
      }
    }
  } finally {
    timer.cancel();
  }
}

/** @param giveUp rejects when it has taken too long */
async function readOnce(
  { client, kafkaTopic, decode, perPartition }: TailOptions,
  newest: Newest<unknown>,
  giveUp: Promise<never>,
): Promise<PartitionOffsets> {
  const [earliest, latest] = await Promise.race([
    Promise.all([
      client.listOffsets([kafkaTopic], 'earliest'),
      client.listOffsets([kafkaTopic], 'latest'),
    ]),
    giveUp,
  ]);
  const [first, end] = [offsetsIn(earliest, kafkaTopic), offsetsIn(latest, kafkaTopic)];
  const start = new Map<number, number>();
  const unread = new Map<number, number>();
  for (const [partition, offset] of end) {
    const from = Math.max(first.get(partition) ?? 0, offset - perPartition);
    start.set(partition, from);
    if (from < offset) unread.set(partition, offset);
  }
  if (unread.size === 0) return end;

  const finished = Promise.withResolvers<void>();
  const reader = client.openReader({
    topic: kafkaTopic,
    start,
    onBatches: (batches) => {
      for (const { partition, records, nextOffset } of batches) {
        const stopAt = unread.get(partition);
        if (stopAt === undefined) continue;
        for (const record of records) {
          if (record.offset < stopAt) newest.offer(decode(partition, record));
        }
        if (nextOffset >= stopAt) unread.delete(partition);
      }
      if (unread.size === 0) finished.resolve();
    },
    onStatus: (status) => {
      if (status.state === 'failed') finished.reject(status.error);
    },
  });
  try {
    await Promise.race([finished.promise, giveUp]);
  } finally {
    await reader.close();
  }
  return end;
}

function offsetsIn(
  answer: Map<string, ReadonlyMap<number, number> | KafkaError>,
  topic: string,
): ReadonlyMap<number, number> {
  const offsets = answer.get(topic);
  if (offsets === undefined) throw new KafkaError('TOPIC_NOT_FOUND', `no offsets for ${topic}`);
  if (offsets instanceof KafkaError) throw offsets;
  return offsets;
}
