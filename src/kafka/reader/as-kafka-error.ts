import { KafkaError } from '../port.ts';

/** What is no `KafkaError` is a fault on our side; reading is tried again all the same. */
export function asKafkaError(error: unknown): KafkaError {
  if (error instanceof KafkaError) return error;
  return new KafkaError('UNAVAILABLE', String(error), { cause: error });
}
