import { KafkaError } from '../port.ts';

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
