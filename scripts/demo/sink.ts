import type { EmbeddedKafka } from '../../src/kafka/embedded/embedded-kafka.ts';
import type { DemoRecord } from './record.ts';

/** Where the demo's records go. */
export interface RecordSink {
  /** Creates those that are not there yet, and answers them. Call it before `send`. */
  createTopics(names: readonly string[], partitions: number): Promise<string[]>;
  /** Resolves when they are written. */
  send(records: readonly DemoRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** Into the log of this process. */
export function embeddedSink(kafka: EmbeddedKafka): RecordSink {
  return {
    async createTopics(names, partitions) {
      const missing = names.filter((name) => kafka.topic(name) === undefined);
      for (const name of missing) kafka.createTopic(name, partitions);
      return missing;
    },
    async send(records) {
      for (const { topic, ...record } of records) kafka.append(topic, record);
    },
    async close() {
      // Nothing is open.
    },
  };
}
