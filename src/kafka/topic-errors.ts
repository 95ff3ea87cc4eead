import type { LostRange } from '../core/errors.ts';
import { KafkaError } from './port.ts';

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
  return new KafkaError('TOPIC_NOT_FOUND', `topic ${topic} was deleted and created again`);
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
