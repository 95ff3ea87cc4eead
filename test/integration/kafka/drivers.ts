import { createKafkajsDriver } from '../../../src/kafka/kafkajs/driver.ts';
import { createPlatformaticDriver } from '../../../src/kafka/platformatic/driver.ts';

/** Those that talk to a real Kafka. Tests that break a cluster do it once, before all of them. */
export const drivers = [createKafkajsDriver, createPlatformaticDriver];
