import { answeringWithin } from '../answer-deadline.ts';
import type { KafkaConnectionOptions, KafkaDriver } from '../port.ts';
import { KafkajsClient } from './client.ts';
import { registerCodecs } from './codecs.ts';
import type { KafkajsLog } from './connection.ts';
import { privateApi } from './private-api.ts';
import { stopIdleTimers } from './timer-patch.ts';

/**
 * Reads Kafka through kafkajs: its connections, logins and request encoding, but neither its consumer
 * groups nor its decoding of records.
 *
 * @param log hears of kafkajs' warnings and errors, which hold no credentials. @default silence
 * @throws {Error} if another kafkajs is installed than the one whose insides this driver knows
 */
export function createKafkajsDriver(
  options: KafkaConnectionOptions,
  log: KafkajsLog = () => undefined,
): KafkaDriver {
  privateApi();
  stopIdleTimers();
  registerCodecs();
  return {
    name: 'kafkajs',
    connect: (sasl) => answeringWithin(new KafkajsClient({ ...options, sasl, log })),
  };
}
