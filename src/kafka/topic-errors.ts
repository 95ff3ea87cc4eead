import type { LostRange } from '../core/errors.ts';
import { KafkaError } from './port.ts';
import { errorCode, errorName } from './wire/error-codes.ts';

/**
 * How long a reader keeps asking for a topic that the cluster says it does not have. A broker that
 * has just started, or just heard of the topic, says so for a moment although the topic exists.
 */
export const missingTopicGraceMs = 5_000;

export function topicNotFound(topic: string, options?: ErrorOptions): KafkaError {
  return new KafkaError('TOPIC_NOT_FOUND', `topic ${topic} does not exist`, options);
}

/** The name is there again, but what a reader's offsets speak of is gone. */
export function topicRecreated(topic: string): KafkaError {
  return new KafkaError('TOPIC_RECREATED', `topic ${topic} was deleted and created again`);
}

export function notAuthorized(topic: string, options?: ErrorOptions): KafkaError {
  return new KafkaError('NOT_AUTHORIZED', `not authorized to read topic ${topic}`, options);
}

export function noLeader(topic: string, partitions: readonly number[]): KafkaError {
  const ids = partitions.join(', ');
  return new KafkaError('UNAVAILABLE', `topic ${topic} has no leader for partition ${ids}`);
}

/**
 * What of a partition cannot be read from `position`, if the log holds `start` (inclusive) to `end`
 * (exclusive): `null` when the position lies within.
 */
export function lostRange(
  partition: number,
  position: number,
  { start, end }: { readonly start: number; readonly end: number },
): LostRange | null {
  if (position < start) return { partition, from: position, to: start };
  if (position > end) return { partition, from: end, to: position };
  return null;
}

export function offsetOutOfRange(topic: string, ranges: readonly LostRange[]): KafkaError {
  const gone = ranges.map(
    (range) => `${range.from} to ${range.to} of partition ${range.partition}`,
  );
  return new KafkaError('OFFSET_OUT_OF_RANGE', `topic ${topic} lacks ${gone.join(', ')}`, {
    ranges,
  });
}

/** What an error code in an answer says of a topic; `null`: there is none. */
export function topicError(topic: string, code: number): KafkaError | null {
  if (code === errorCode.NONE) return null;
  const cause = new Error(errorName(code));
  switch (code) {
    case errorCode.UNKNOWN_TOPIC_OR_PARTITION:
    case errorCode.UNKNOWN_TOPIC_ID:
    case errorCode.INVALID_TOPIC_EXCEPTION:
      return topicNotFound(topic, { cause });
    case errorCode.TOPIC_AUTHORIZATION_FAILED:
    case errorCode.CLUSTER_AUTHORIZATION_FAILED:
      return notAuthorized(topic, { cause });
    default:
      return new KafkaError('UNAVAILABLE', `topic ${topic}: ${errorName(code)}`);
  }
}

/**
 * The same of a partition. A leader that does not know a topic, of which the cluster knows, has not
 * heard of it yet or no longer leads.
 */
export function partitionError(topic: string, code: number): KafkaError | null {
  const error = topicError(topic, code);
  return error?.code === 'TOPIC_NOT_FOUND'
    ? new KafkaError('UNAVAILABLE', `topic ${topic}: unknown to the leader of a partition`)
    : error;
}
