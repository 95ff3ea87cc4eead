import type { Clock } from '../core/clock.ts';
import { type LostRange, MillraceError } from '../core/errors.ts';
import { topicNotFound, topicRecreated } from '../kafka/topic-errors.ts';
import type { Offsets } from './cursor/lanes.ts';
import type { StreamPosition } from './cursor/stream-position.ts';
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
  /** With all there is: the topic did not exist yet when the subscription was accepted. */
  | { readonly at: 'beginning' }
  /** Where another stream of the topic stood. */
  | {
      readonly at: 'position';
      readonly position: StreamPosition;
      /** It is one that several positions can be reached from. */
      readonly isShared: boolean;
      /** The greatest R of those positions. */
      readonly furthest: Offsets;
      /** The cluster's id of the topic that it is of; `null`: not known. */
      readonly topicId: string | null;
    };

/** Where to read from. */
export interface Start {
  /** From here on, by partition, everything is for the streams. */
  readonly offsets: PartitionOffsets;
  /** Where reading begins, at or before that: streams are to know the ids of what lies between. */
  readonly readFrom: PartitionOffsets;
  /**
   * The end of the log as of the answer. What lies below may have been recorded before the acceptance,
   * which its broker time tells; empty: all that is read is wanted.
   */
  readonly end: PartitionOffsets;
  /** The cluster's id of the topic; `null`: it cannot be learned. */
  readonly topicId: string | null;
}

export interface StartOptions {
  readonly client: KafkaClient;
  readonly topic: string;
  readonly clock: Clock;
  /** How far back ids are to be known, in milliseconds; 0: not at all. */
  readonly dedupWindowMs: () => number;
  /** Most records that are read for their ids only, of all partitions together. */
  readonly maxWarmUpRecords: number;
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
 * Asks the cluster for the offsets of a start point. Rejects with `KafkaError`, or with a `MillraceError`
 * when the log no longer holds what follows a position.
 *
 * A subscription that starts at its acceptance begins at the end of the log as of this answer, and a
 * little before: records that came between the acceptance and the answer, or while the cluster could
 * not be reached, are still to be delivered. They are told by their broker time.
 */
export async function findStart(options: StartOptions, start: StartPoint): Promise<Start> {
  const { client, topic } = options;
  const topicId = await topicIdOf(client, topic);
  if (start.at === 'position') refuseAnother(topic, start.topicId, topicId);
  const { offsets, end, windowEndMs } = await findOffsets(options, start);
  const readFrom = await findWarmUp(options, offsets, windowEndMs ?? null);
  return { offsets, readFrom, end, topicId };
}

interface Found {
  readonly offsets: PartitionOffsets;
  readonly end: PartitionOffsets;
  /** About the broker's time at `offsets`; `null`: what lies before is of no interest. */
  readonly windowEndMs: number | null;
}

async function findOffsets(
  { client, topic, clock }: StartOptions,
  start: StartPoint,
): Promise<Found> {
  switch (start.at) {
    case 'beginning': {
      const offsets = await offsetsOf(client, topic, 'earliest');
      return { offsets, end: new Map(), windowEndMs: null };
    }
    case 'position': {
      const { offsets, earliest } = await heldOffsets(client, topic, start);
      // Only they themselves tell when their records were recorded.
      const windowEndMs = await timeAt({ client, topic, clock }, { offsets, earliest });
      return { offsets, end: new Map(), windowEndMs };
    }
    case 'acceptance': {
      const { acceptedAtMs } = start;
      return {
        ...(await startAtAcceptance(client, topic, acceptedAtMs, () => clock.now())),
        windowEndMs: acceptedAtMs,
      };
    }
  }
}

async function startAtAcceptance(
  client: KafkaClient,
  topic: string,
  acceptedAtMs: number,
  nowMs: () => number,
): Promise<Pick<Start, 'offsets' | 'end'>> {
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

/** Where to read on from a position: V, if the log still holds what follows it. */
async function heldOffsets(
  client: KafkaClient,
  topic: string,
  { position, furthest }: Extract<StartPoint, { at: 'position' }>,
): Promise<{ offsets: PartitionOffsets; earliest: PartitionOffsets }> {
  const [earliest, latest] = await Promise.all([
    offsetsOf(client, topic, 'earliest'),
    offsetsOf(client, topic, 'latest'),
  ]);
  const { next, lowest } = position;
  // Partitions never go away. Where the cluster tells no ids of topics, this alone may tell.
  if (furthest.some((read, partition) => read > 0 && !latest.has(partition))) {
    throw topicRecreated(topic);
  }
  const expired: LostRange[] = [];
  const truncated: LostRange[] = [];
  const offsets = new Map<number, number>();
  for (const [partition, end] of latest) {
    const from = lowest[partition] ?? 0;
    const first = earliest.get(partition) ?? 0;
    // A partition that the position does not know has been added since: all that it holds is new.
    if (from < first && partition < next.length) expired.push({ partition, from, to: first });
    const read = furthest[partition] ?? 0;
    if (read > end) truncated.push({ partition, from: end, to: read });
    offsets.set(partition, Math.max(from, first));
  }
  if (truncated.length > 0) {
    throw logTruncated(truncated);
  }
  if (expired.length > 0) {
    const message =
      'the log no longer holds all that follows the cursor: start without it, or with since';
    throw new MillraceError('CURSOR_EXPIRED', message, { ranges: expired });
  }
  return { offsets, earliest };
}

export function logTruncated(ranges: readonly LostRange[]): MillraceError {
  const message = 'the log ends before the cursor: the cluster lost records that it had served';
  return new MillraceError('LOG_TRUNCATED', message, { ranges });
}

/** @throws {KafkaError} `TOPIC_RECREATED`: the offsets are of another topic, that had the same name */
function refuseAnother(topic: string, expected: string | null, found: string | null): void {
  if (expected === null || found === null || expected === found) return;
  throw topicRecreated(topic);
}

/** One window of de-duplication before the offsets, or as much of it as may be read. */
async function findWarmUp(
  { client, topic, dedupWindowMs, maxWarmUpRecords }: StartOptions,
  offsets: PartitionOffsets,
  windowEndMs: number | null,
): Promise<PartitionOffsets> {
  const windowMs = dedupWindowMs();
  if (windowEndMs === null || windowMs === 0 || offsets.size === 0) return offsets;
  const timestampMs = Math.max(0, windowEndMs - windowMs);
  const window = await offsetsOf(client, topic, { timestampMs });
  const most = Math.floor(maxWarmUpRecords / offsets.size);
  return new Map(
    Array.from(offsets, ([partition, offset]) => {
      const from = Math.max(window.get(partition) ?? offset, offset - most);
      return [partition, Math.min(offset, from)];
    }),
  );
}

/** How long the first records may take to come, in milliseconds. */
const firstRecordsWithinMs = 5_000;

/**
 * The least broker time of the last records before the offsets, in milliseconds since 1970; `null`: the log
 * holds none. Compaction and control records may leave none in a partition: it then does not count.
 * Rejects with `KafkaError`, `UNAVAILABLE` when they do not come: without them copies would not be known.
 */
async function timeAt(
  { client, topic, clock }: Pick<StartOptions, 'client' | 'topic' | 'clock'>,
  { offsets, earliest }: { offsets: PartitionOffsets; earliest: PartitionOffsets },
): Promise<number | null> {
  const start = new Map<number, number>();
  for (const [partition, offset] of offsets) {
    if (offset > (earliest.get(partition) ?? 0)) start.set(partition, offset - 1);
  }
  if (start.size === 0) return null;
  const unknown = new Set(start.keys());
  const done = Promise.withResolvers<void>();
  let leastMs = Number.POSITIVE_INFINITY;
  const reader = client.openReader({
    topic,
    start,
    onBatches: (batches) => {
      for (const { partition, records } of batches) {
        if (!unknown.delete(partition)) continue;
        for (const { timestampMs } of records.slice(0, 1)) leastMs = Math.min(leastMs, timestampMs);
      }
      if (unknown.size === 0) done.resolve();
    },
    onStatus: (status) => {
      if (status.state !== 'failed') return;
      // Retention may just have passed it, or it was truncated: looked at again, the offsets will tell.
      const isPassed = status.error.code === 'OFFSET_OUT_OF_RANGE';
      done.reject(isPassed ? noRecords(topic, status.error) : status.error);
    },
    maxWaitMs: () => 10,
  });
  const patience = clock.schedule(firstRecordsWithinMs, () => done.reject(noRecords(topic)));
  try {
    await done.promise;
  } finally {
    patience.cancel();
    await reader.close();
  }
  return leastMs === Number.POSITIVE_INFINITY ? null : leastMs;
}

function noRecords(topic: string, cause?: KafkaError): KafkaError {
  return new KafkaError('UNAVAILABLE', `the last records of ${topic} did not come`, { cause });
}

/**
 * `null`: the cluster tells none. Rejects with `KafkaError` where it cannot tell now: without its id, the cursors of the
 * topic would be taken for those of another one of its name.
 */
async function topicIdOf(client: KafkaClient, topic: string): Promise<string | null> {
  const description = (await client.describeTopics([topic])).get(topic);
  if (description === undefined) throw topicNotFound(topic);
  if (description instanceof KafkaError) throw description;
  return description.topicId;
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
