import { answeringWithin } from '../answer-deadline.ts';
import type { KafkaConnectionOptions, KafkaDriver } from '../port.ts';
import { PlatformaticClient } from './client.ts';

/**
 * Reads Kafka through `@platformatic/kafka`: its connections, logins and request encoding, but not its
 * decoding of records.
 */
export function createPlatformaticDriver(options: KafkaConnectionOptions): KafkaDriver {
  return {
    name: 'platformatic',
    connect: (sasl) => answeringWithin(new PlatformaticClient(options, sasl)),
  };
}
