import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaAccess } from '../../scripts/kafka/access.ts';

export interface Flow {
  readonly eventsPerTurn: number;
  readonly everyMs: number;
  readonly paddingBytes: number;
  /** The number of the first one. @default 0 */
  readonly first?: number;
}

/** Writes events that are numbered without a hole, to the one partition of a topic, until it is ended. */
export class NumberedEvents {
  /** The number of the last event that is in the log; one less than the first: none is. */
  last: number;
  readonly #ending = new AbortController();
  readonly #running: Promise<void>;

  constructor(kafka: KafkaAccess, kafkaTopic: string, flow: Flow) {
    this.last = (flow.first ?? 0) - 1;
    this.#running = this.#run(kafka, kafkaTopic, flow);
  }

  async end(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #run(kafka: KafkaAccess, topic: string, flow: Flow): Promise<void> {
    const { eventsPerTurn, everyMs, paddingBytes } = flow;
    const producer = kafka.client('overload').producer({ allowAutoTopicCreation: false });
    const padding = 'x'.repeat(paddingBytes);
    await producer.connect();
    while (!this.#ending.signal.aborted) {
      const sentAtMs = Date.now();
      const messages = Array.from({ length: eventsPerTurn }, (_, index) => {
        const number = this.last + 1 + index;
        const keen = { id: String(number), timestamp: new Date(sentAtMs).toISOString() };
        return { value: JSON.stringify({ keen, sequence_number: number, sentAtMs, padding }) };
      });
      await producer.send({ topic, messages, acks: -1 });
      this.last += eventsPerTurn;
      await sleep(everyMs);
    }
    await producer.disconnect();
  }
}
