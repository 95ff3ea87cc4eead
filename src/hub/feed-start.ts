import type { RawRecord } from '../kafka/port.ts';
import {
  type KafkaClient,
  KafkaError,
  type OffsetPoint,
  type PartitionOffsets,
} from '../kafka/port.ts';

/** Where a feed begins: with what is recorded from now on, or at an instant of the past. */
export type StartPoint =
  | { readonly at: 'acceptance'; readonly acceptedAtMs: number }
  | { readonly at: 'instant'; readonly timestampMs: number };

/** Where to read from, and what of it to pass over. */
export interface Start {
  readonly offsets: PartitionOffsets;
  /** True for a record that lay in the log before the start point. */
  readonly precedes: (partition: number, record: RawRecord) => boolean;
}

/**
 * How many records a partition is read back at the most when the cluster answered at once. A record
 * dated in the future could otherwise lead far back into the log.
 */
const maxRecordsBack = 1_000;

/** An answer that came later than this counts as "the cluster could not be reached". */
const promptMs = 5_000;

/**
 * Asks the cluster for the offsets of a start point. Rejects with `KafkaError`.
 *
 * A subscription that starts at its acceptance begins at the end of the log as of this answer, and a
 * little before: records that came between the acceptance and the answer, or while the cluster could
 * not be reached, are still to be delivered. They are told by their broker time.
 */
export async function findStart(
  client: KafkaClient,
  topic: string,
  start: StartPoint,
  nowMs: () => number,
): Promise<Start> {
  if (start.at === 'instant') {
    const offsets = await offsetsOf(client, topic, { timestampMs: start.timestampMs });
    return { offsets, precedes: () => false };
  }
  const { acceptedAtMs } = start;
  const [end, sinceAcceptance] = await Promise.all([
    offsetsOf(client, topic, 'latest'),
    offsetsOf(client, topic, { timestampMs: acceptedAtMs }),
  ]);
  const back = nowMs() - acceptedAtMs > promptMs ? Number.POSITIVE_INFINITY : maxRecordsBack;
  const offsets = new Map<number, number>();
  for (const [partition, offset] of end) {
    const since = sinceAcceptance.get(partition) ?? offset;
    offsets.set(partition, Math.min(offset, Math.max(since, offset - back)));
  }
  return {
    offsets,
    precedes: (partition, record) =>
      record.timestampMs < acceptedAtMs && record.offset < (end.get(partition) ?? 0),
  };
}

async function offsetsOf(
  client: KafkaClient,
  topic: string,
  at: OffsetPoint,
): Promise<PartitionOffsets> {
  const answer = (await client.listOffsets([topic], at)).get(topic);
  if (answer === undefined) throw new KafkaError('TOPIC_NOT_FOUND', `no offsets for ${topic}`);
  if (answer instanceof KafkaError) throw answer;
  return answer;
}
