import type { Clock } from '../../core/clock.ts';
import type { PartitionLog } from './partition-log.ts';
import type { EmbeddedUsers } from './users.ts';

/** One incarnation of a topic: deleted and created again, it is another one. */
export interface EmbeddedTopic {
  readonly name: string;
  readonly id: string;
  readonly partitions: PartitionLog[];
}

/** The embedded log as its readers see it. */
export interface EmbeddedLog {
  readonly clock: Clock;
  readonly clusterId: string;
  readonly users: EmbeddedUsers;
  /** @throws KafkaError `UNAVAILABLE` */
  assertAvailable(): void;
  topic(name: string): EmbeddedTopic | undefined;
  topicNames(): string[];
  /** Calls `wake` when anything about the topic of that name changes, until the answer is called. */
  watch(name: string, wake: () => void): () => void;
}
