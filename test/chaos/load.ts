import { setTimeout as sleep } from 'node:timers/promises';
import type { Producer } from 'kafkajs';
import type { KafkaAccess } from '../../scripts/kafka/access.ts';
import kafkajs from '../../scripts/kafka/kafkajs.ts';
import type { Dice } from '../model/dice.ts';
import { type ChaosTopic, idOf, type Place } from './event.ts';

export interface LoadOptions {
  readonly topic: ChaosTopic;
  readonly partitions: number;
  readonly eventsPerSecond: number;
  readonly dice: Dice;
}

interface Due {
  readonly atMs: number;
  readonly id: string;
  readonly partition: number;
  readonly value: string;
}

const tickMs = 25;
/** How late an event may be recorded, in milliseconds: less than the lateness of the servers. */
const maxDelayMs = 700;
/** Kafka takes 1 MB at the most. */
const maxBatchBytes = 500_000;
/** How much later a copy may be, in milliseconds. */
const maxCopyDelayMs = 3_000;

/**
 * Writes events to one topic, out of order and some of them twice, and remembers what Kafka acknowledged.
 * What was not acknowledged is written again: at least once.
 */
export class Load {
  /** By id, each place at which Kafka says that it is. */
  readonly acknowledged = new Map<string, Place[]>();
  partitions: number;
  /** How long the filler of an event is at most. */
  padBytes = 600;
  readonly #options: LoadOptions;
  readonly #producer: Producer;
  readonly #ending = new AbortController();
  #running: Promise<void> | undefined;
  #waiting: Due[] = [];
  #made = 0;
  #retries = 0;
  #givenUp = false;
  #lastError: unknown;

  constructor(kafka: KafkaAccess, options: LoadOptions) {
    this.#options = options;
    this.partitions = options.partitions;
    this.#producer = new kafkajs.Kafka({
      clientId: 'chaos',
      brokers: kafka.bootstrap('admin'),
      logLevel: kafkajs.logLevel.NOTHING,
      connectionTimeout: 2_000,
      // A broker that is frozen is given up, and the next one asked.
      requestTimeout: 3_000,
      retry: { retries: 0 },
    }).producer({ allowAutoTopicCreation: false, metadataMaxAge: 1_000 });
  }

  get retries(): number {
    return this.#retries;
  }

  async start(): Promise<void> {
    await this.#producer.connect();
    this.#running = this.#run();
  }

  /** Resolves when all that was begun is acknowledged. @throws when it is not within `withinMs` */
  async end(withinMs = 60_000): Promise<void> {
    this.#ending.abort();
    const late = sleep(withinMs, 'late', { ref: false });
    if ((await Promise.race([this.#running, late])) !== 'late') return;
    this.giveUp();
    throw new Error('the load cannot be written', { cause: this.#lastError });
  }

  /** What was begun may never be acknowledged. */
  giveUp(): void {
    this.#ending.abort();
    this.#givenUp = true;
  }

  async #run(): Promise<void> {
    const { eventsPerSecond } = this.#options;
    const startedAtMs = Date.now();
    let due = 0;
    while (!this.#ending.signal.aborted || this.#waiting.length > 0) {
      if (!this.#ending.signal.aborted) {
        due = ((Date.now() - startedAtMs) * eventsPerSecond) / 1_000;
        // An outage is not made up for all at once.
        this.#made = Math.max(this.#made, Math.floor(due) - eventsPerSecond);
        while (this.#made < due) this.#make();
      }
      const nowMs = Date.now();
      const isEnd = this.#ending.signal.aborted;
      const ready = this.#waiting.filter(({ atMs }) => isEnd || atMs <= nowMs);
      this.#waiting = this.#waiting.filter(({ atMs }) => !isEnd && atMs > nowMs);
      if (ready.length > 0) await this.#write(ready.toSorted((a, b) => a.atMs - b.atMs));
      await sleep(tickMs);
    }
    await this.#producer.disconnect();
  }

  #make(): void {
    const { topic, dice } = this.#options;
    const number = this.#made;
    this.#made += 1;
    const nowMs = Date.now();
    const id = idOf(topic, number);
    const put = (atMs: number, timestampMs: number): void => {
      const timestamp = new Date(timestampMs).toISOString();
      const pad = 'x'.repeat(dice.below(this.padBytes));
      const value = JSON.stringify({ keen: { id, timestamp }, sequence_number: number, pad });
      this.#waiting.push({ atMs, id, partition: dice.below(this.partitions), value });
    };
    const delayMs = dice.oneIn(4) ? dice.below(maxDelayMs) : 0;
    put(nowMs + delayMs, nowMs);
    if (dice.oneIn(10)) {
      // Another sender of the same, whose clock is not quite the same.
      put(nowMs + delayMs + dice.below(maxCopyDelayMs), nowMs + dice.below(400) - 200);
    }
  }

  async #write(records: readonly Due[]): Promise<void> {
    const byPartition = [...Map.groupBy(records, ({ partition }) => partition)];
    // Each partition by itself: a batch is written or not as a whole.
    await Promise.all(
      byPartition.map(async ([partition, own]) => {
        for (const batch of batchesOf(own)) await this.#writeTo(partition, batch);
      }),
    );
  }

  async #writeTo(partition: number, records: readonly Due[]): Promise<void> {
    const { kafkaTopic } = this.#options.topic;
    const messages = records.map(({ value }) => ({ value, partition }));
    for (;;) {
      try {
        const [sent] = await this.#producer.send({ topic: kafkaTopic, messages, acks: -1 });
        // Of a partition that kafkajs does not know yet it neither sends anything nor says so.
        if (sent?.baseOffset === undefined) throw new Error('nothing was sent');
        const base = Number(sent.baseOffset);
        for (const [index, { id }] of records.entries()) {
          const place = { partition, offset: base + index };
          const places = this.acknowledged.get(id);
          if (places === undefined) this.acknowledged.set(id, [place]);
          else places.push(place);
        }
        return;
      } catch (error) {
        if (this.#givenUp) return;
        // Whatever it was: the cluster is being broken on purpose.
        this.#lastError = error;
        this.#retries += 1;
        await sleep(200);
      }
    }
  }
}

/** In their order, each of a size that Kafka takes: after an outage there may be much. */
function batchesOf(records: readonly Due[]): Due[][] {
  const batches: Due[][] = [];
  let bytes = Infinity;
  for (const record of records) {
    bytes += record.value.length;
    if (bytes > maxBatchBytes) {
      batches.push([]);
      bytes = record.value.length;
    }
    batches.at(-1)?.push(record);
  }
  return batches;
}
