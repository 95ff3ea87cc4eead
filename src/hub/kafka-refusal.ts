import { MillraceError } from '../core/errors.ts';
import type { KafkaError, PartitionOffsets } from '../kafka/port.ts';

/**
 * What a subscriber of `topic` is told of a refusal by Kafka.
 *
 * @param positions as for `refusalOf`
 */
export type RefusalOf = (
  error: KafkaError,
  topic: string,
  positions?: PartitionOffsets,
) => MillraceError;

/**
 * What clients are told when all of them use the service's own login: that Kafka refuses it is no fault
 * of theirs.
 *
 * @param loginRefused hears of each refusal of the login, which only the operator can mend
 */
export function refusalsOfService(loginRefused: (error: KafkaError) => void): RefusalOf {
  return (error, topic, positions) => {
    if (error.code !== 'AUTHENTICATION_FAILED') return refusalOf(error, topic, positions);
    loginRefused(error);
    return new MillraceError(
      'KAFKA_UNAVAILABLE',
      'this server cannot log in to the Kafka cluster at the moment; its operator has been told',
      {},
      { cause: error },
    );
  };
}

/**
 * What a subscriber of `topic` who logs in to Kafka as itself is told of a refusal. A topic that the login may not read and
 * one that does not exist get the same answer, so that nobody can find out what others have.
 *
 * @param positions where each partition would have been read next: they tell a log that ends before
 *   its position from one that begins behind it
 */
export function refusalOf(
  error: KafkaError,
  topic: string,
  positions?: PartitionOffsets,
): MillraceError {
  switch (error.code) {
    case 'AUTHENTICATION_FAILED':
      return new MillraceError(
        'UNAUTHENTICATED',
        'the Kafka cluster refuses these credentials',
        {},
        { cause: error },
      );
    case 'NOT_AUTHORIZED':
    case 'TOPIC_NOT_FOUND':
      return topicNotFound(topic, error);
    case 'TOPIC_RECREATED':
      return new MillraceError(
        'TOPIC_RECREATED',
        `topic ${JSON.stringify(topic)} was deleted and created again; subscribe again to read the new one`,
        {},
        { cause: error },
      );
    case 'OFFSET_OUT_OF_RANGE':
      return new MillraceError(
        error.ranges.some(({ partition, to }) => positions?.get(partition) === to)
          ? 'LOG_TRUNCATED'
          : 'CURSOR_EXPIRED',
        `topic ${JSON.stringify(topic)} lost records: ${describeRanges(error)}; subscribe again to go on with what is left`,
        { ranges: error.ranges },
        { cause: error },
      );
    case 'UNAVAILABLE':
      return new MillraceError(
        'KAFKA_UNAVAILABLE',
        'the Kafka cluster cannot be reached at the moment; try again',
        {},
        { cause: error },
      );
  }
}

export function topicNotFound(topic: string, cause?: unknown): MillraceError {
  return new MillraceError(
    'TOPIC_NOT_FOUND',
    `this project has no topic ${JSON.stringify(topic)}; the query { topics { name } } lists those it has`,
    {},
    { cause },
  );
}

function describeRanges(error: KafkaError): string {
  return error.ranges
    .map(({ partition, from, to }) => `partition ${partition} from ${from} to ${to}`)
    .join(', ');
}
