import {
  type KafkaClient,
  KafkaError,
  type OffsetPoint,
  type PartitionOffsets,
} from '../kafka/port.ts';

/** Where a feed begins. */
export type StartPoint =
  /** With what is recorded from now on. */
  | { readonly at: 'acceptance'; readonly acceptedAtMs: number }
  /** At an instant of the past, by the broker's time. */
  | { readonly at: 'instant'; readonly timestampMs: number }
  /** With all there is: the topic did not exist yet when the subscription was accepted. */
  | { readonly at: 'beginning' };

/** Where to read from. */
export interface Start {
  readonly offsets: PartitionOffsets;
  /**
   * The end of the log as of the answer. What lies below may have been recorded before the acceptance,
   * which its broker time tells; empty: all that is read is wanted.
   */
  readonly end: PartitionOffsets;
}

/**
 * How long a subscription waits for its feed to begin before it is accepted anyway, in milliseconds.
 * With an answer that came sooner, nothing below its end was recorded after anybody was told so.
 */
export const acceptWithinMs = 2_000;

/**
 * How many records a partition is read back at the most when the cluster answered in time. A record
 * dated in the future could otherwise lead far back into the log.
 */
const maxRecordsBack = 1_000;

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
  switch (start.at) {
    case 'beginning':
      return { offsets: await offsetsOf(client, topic, 'earliest'), end: new Map() };
    case 'instant': {
      const { timestampMs } = start;
      return { offsets: await offsetsOf(client, topic, { timestampMs }), end: new Map() };
    }
    case 'acceptance':
      return startAtAcceptance(client, topic, start.acceptedAtMs, nowMs);
  }
}

async function startAtAcceptance(
  client: KafkaClient,
  topic: string,
  acceptedAtMs: number,
  nowMs: () => number,
): Promise<Start> {
  const [end, sinceAcceptance] = await Promise.all([
    offsetsOf(client, topic, 'latest'),
    offsetsOf(client, topic, { timestampMs: acceptedAtMs }),
  ]);
  const inTime = nowMs() - acceptedAtMs < acceptWithinMs;
  const back = inTime ? maxRecordsBack : Number.POSITIVE_INFINITY;
  const offsets = new Map<number, number>();
  for (const [partition, offset] of end) {
    // Not in the other answer: it was created meanwhile, so all of it is new.
    const since = sinceAcceptance.get(partition) ?? 0;
    offsets.set(partition, Math.min(offset, Math.max(since, offset - back)));
  }
  return { offsets, end };
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
