import type { TestContext } from 'node:test';
import type {
  KafkaClient,
  KafkaErrorCode,
  PartitionOffsets,
  ReaderOptions,
  ReaderStatus,
  RecordBatch,
  TopicReader,
} from '../../../src/kafka/port.ts';
import { KafkaError } from '../../../src/kafka/port.ts';

/** A record copied out of its answer. */
export interface TapedRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

export interface TapedBatch extends Omit<RecordBatch, 'records'> {
  readonly records: readonly TapedRecord[];
}

/** Everything that one reader told, in order, and ways to wait for it. */
export class Tape {
  readonly batches: TapedBatch[] = [];
  readonly statuses: ReaderStatus[] = [];
  readonly #waiting = new Set<() => void>();
  #reader: TopicReader | null = null;

  get reader(): TopicReader {
    if (!this.#reader) throw new Error('The tape is not running.');
    return this.#reader;
  }

  get records(): readonly TapedRecord[] {
    return this.batches.flatMap((batch) => batch.records);
  }

  offsets(partition: number): readonly number[] {
    return this.records.filter((one) => one.partition === partition).map((one) => one.offset);
  }

  values(partition: number): readonly (string | null)[] {
    return this.records
      .filter((one) => one.partition === partition)
      .map((one) => one.value && String(one.value));
  }

  last(partition: number): TapedBatch | undefined {
    return this.batches.findLast((batch) => batch.partition === partition);
  }

  /** Resolves when `done` holds, at once or after some call-back. @throws after `withinMs` */
  until(done: () => boolean, what: string, withinMs = 60_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (!done()) return;
        clearTimeout(timer);
        this.#waiting.delete(check);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(check);
        const heard = JSON.stringify(this.statuses, (key, value: unknown) =>
          key === 'error' ? String(value) : value,
        );
        reject(
          new Error(`no ${what} after ${withinMs} ms; ${this.records.length} records; ${heard}`),
        );
      }, withinMs);
      this.#waiting.add(check);
      check();
    });
  }

  untilRecords(count: number, withinMs?: number): Promise<void> {
    return this.until(() => this.records.length >= count, `${count} records`, withinMs);
  }

  /** Resolves when the reader's position in the partition is `offset` or beyond. */
  untilPosition(partition: number, offset: number): Promise<void> {
    return this.until(
      () => (this.last(partition)?.nextOffset ?? -1) >= offset,
      `position ${offset} in partition ${partition}`,
    );
  }

  async untilFailed(withinMs?: number): Promise<KafkaError> {
    let failure: KafkaError | undefined;
    await this.until(
      () => {
        const status = this.statuses.at(-1);
        if (status?.state === 'failed') failure = status.error;
        return failure !== undefined;
      },
      'failure',
      withinMs,
    );
    if (!failure) throw new Error('unreachable');
    return failure;
  }

  start(
    client: Pick<KafkaClient, 'openReader'>,
    options: Omit<ReaderOptions, 'onBatches' | 'onStatus'>,
  ): void {
    this.#reader = client.openReader({
      ...options,
      onBatches: (batches) => {
        for (const batch of batches) this.batches.push(copied(batch));
        this.#check();
      },
      onStatus: (status) => {
        this.statuses.push(status);
        this.#check();
      },
    });
  }

  #check(): void {
    for (const check of this.#waiting) check();
  }
}

function copied(batch: RecordBatch): TapedBatch {
  const { partition } = batch;
  return {
    ...batch,
    records: batch.records.map(({ offset, timestampMs, key, value }) => ({
      partition,
      offset,
      timestampMs,
      key: key && Buffer.from(key),
      value: value && Buffer.from(value),
    })),
  };
}

/** Reads a topic onto a tape until the test ends. */
export function play(
  t: TestContext,
  client: KafkaClient,
  topic: string,
  start: PartitionOffsets | readonly number[],
  options: Partial<Pick<ReaderOptions, 'maxWaitMs' | 'maxBytes'>> = {},
): Tape {
  const tape = new Tape();
  const from = start instanceof Map ? start : new Map([...start.entries()] as [number, number][]);
  tape.start(client, { topic, start: from, maxWaitMs: () => 100, ...options });
  t.after(() => tape.reader.close());
  return tape;
}

/** For `assert.rejects`. */
export function kafkaError(code: KafkaErrorCode): (error: unknown) => boolean {
  return (error) => {
    if (!(error instanceof KafkaError)) throw new Error('not a KafkaError', { cause: error });
    if (error.code !== code) throw new Error(`${error.code} instead of ${code}`, { cause: error });
    return true;
  };
}
