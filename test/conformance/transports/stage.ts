import type { TestContext } from 'node:test';
import type { RunningServer } from '../../../src/server.ts';
import type { HeldClock } from '../../support/held-clock.ts';
import type { EventRecord } from './records.ts';
import type { Transport } from './transport.ts';

/** A server and the log behind it, gone with the test. */
export interface Stage {
  readonly server: RunningServer;
  /** What the server goes by. */
  readonly clock: HeldClock;
  /** A topic of 3 partitions, whose name may get an end of its own; `project` is `acme` or `globex`. */
  createTopic(project: string, name: string): Promise<Topic>;
  createDeadLetterTopic(topic: Topic): Promise<Topic>;
  /**
   * Resolves when they are recorded, in their order within each partition. The server takes them for no later than they
   * say, however long it took from the call on, or in the turn of it.
   */
  record(topic: Topic, records: readonly EventRecord[]): Promise<void>;
}

export interface Topic {
  /** That its subscribers use. */
  readonly name: string;
  /** That Kafka uses. */
  readonly kafkaTopic: string;
}

/** @param settings by their environment variables */
export type OpenStage = (
  t: TestContext,
  settings?: Readonly<Record<string, string>>,
) => Promise<Stage>;

/** What every transport must do. */
export interface Scenario {
  readonly title: string;
  readonly play: (t: TestContext, open: OpenStage, transport: Transport) => Promise<void>;
}

export const reader = { projectId: 'acme', key: 'acme-read' } as const;
