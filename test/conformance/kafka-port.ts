import { after, before, describe } from 'node:test';
import { offsetTests } from './kafka-port/offsets.ts';
import { loginTests } from './kafka-port/logins.ts';
import { readingTests } from './kafka-port/reading.ts';
import type { KafkaPort, KafkaPortSetup } from './kafka-port/setup.ts';
import { topicTests } from './kafka-port/topics.ts';

/** The contract of `src/kafka/port.ts`, point by point. Every implementation is held to it. */
export function describeKafkaPort(name: string, port: KafkaPort): void {
  describe(`Kafka port: ${name}`, { concurrency: 6 }, () => {
    let opened: KafkaPortSetup | null = null;
    before(async () => {
      opened = await port.open();
    });
    after(() => opened?.close());
    const setup = () => {
      if (!opened) throw new Error('The set-up failed.');
      return opened;
    };
    readingTests(setup, port.capabilities);
    offsetTests(setup, port.capabilities);
    topicTests(setup, port.capabilities);
    loginTests(setup, port.capabilities);
  });
}
