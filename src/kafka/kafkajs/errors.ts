import { KafkaError } from '../port.ts';
import { notAuthorized, topicNotFound } from '../topic-errors.ts';
import { privateApi } from './private-api.ts';

/** Kafka's error codes that are not mere unavailability. */
export const errorCode = {
  none: 0,
  offsetOutOfRange: 1,
  unknownTopicOrPartition: 3,
  leaderNotAvailable: 5,
  invalidTopic: 17,
  topicAuthorizationFailed: 29,
} as const;

/** What a broker answered about a topic or one of its partitions. */
export function topicError(topic: string, code: number): KafkaError {
  const cause = new Error(privateApi().errorName(code));
  switch (code) {
    case errorCode.unknownTopicOrPartition:
    case errorCode.invalidTopic:
      return topicNotFound(topic, { cause });
    case errorCode.topicAuthorizationFailed:
      return notAuthorized(topic, { cause });
    default:
      return new KafkaError('UNAVAILABLE', `topic ${topic}: ${cause.message}`);
  }
}

const refusals = new Set([
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'DELEGATION_TOKEN_AUTH_DISABLED',
]);

/** What went wrong on the way to a broker. Names of errors are kafkajs' own. */
export function toKafkaError(error: unknown): KafkaError {
  if (error instanceof KafkaError) return error;
  if (!(error instanceof Error)) return new KafkaError('UNAVAILABLE', String(error));
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof KafkaError) return cause;
    if (
      cause.name === 'KafkaJSSASLAuthenticationError' ||
      ('type' in cause && refusals.has(String(cause.type)))
    ) {
      return new KafkaError('AUTHENTICATION_FAILED', cause.message, { cause: error });
    }
  }
  return new KafkaError('UNAVAILABLE', error.message, { cause: error });
}
