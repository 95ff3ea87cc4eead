import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaAccess } from '../../../scripts/kafka/access.ts';
import type { KafkaSasl } from '../../../src/kafka/port.ts';
import { Tape } from '../../conformance/kafka-port/tape.ts';
import { drivers } from './drivers.ts';

/** Records written one after the other, whatever happens to the brokers, until it is told to end. */
export interface Stream {
  /** Acknowledged so far. */
  readonly sent: number;
  /** Resolves when so many more are acknowledged. */
  more(count: number): Promise<void>;
  end(): Promise<void>;
}

export async function openStream(
  t: TestContext,
  kafka: KafkaAccess,
  topic: string,
  partitions: number,
): Promise<Stream> {
  const producer = kafka.client().producer({
    allowAutoTopicCreation: false,
    metadataMaxAge: 1_000,
    retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 200 },
  });
  await producer.connect();
  let sent = 0;
  const ending = new AbortController();
  const waiting = new Set<() => void>();
  const run = (async () => {
    while (!ending.signal.aborted) {
      const messages = Array.from({ length: 10 * partitions }, (_, index) => ({
        partition: index % partitions,
        value: `${sent + index}`,
      }));
      try {
        await producer.send({ topic, messages, acks: -1 });
        sent += messages.length;
      } catch (error) {
        // Written or not: the log tells, and the log is what readers are compared with.
        t.diagnostic(`not acknowledged: ${String(error)}`);
      }
      for (const check of waiting) check();
      await sleep(10);
    }
  })();
  const end = async () => {
    ending.abort();
    await run;
    await producer.disconnect();
  };
  t.after(end);
  return {
    get sent() {
      return sent;
    },
    more(count) {
      const target = sent + count;
      return new Promise((resolve) => {
        const check = () => {
          if (sent < target) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      });
    },
    end,
  };
}

/** One reader of each driver. */
export function readWithAll(
  t: TestContext,
  kafka: KafkaAccess,
  topic: string,
  partitions: number,
  sasl: KafkaSasl | null = null,
): ReadonlyMap<string, Tape> {
  const start = new Map(Array.from({ length: partitions }, (_, partition) => [partition, 0]));
  const tapes = new Map<string, Tape>();
  for (const createDriver of drivers) {
    const driver = createDriver({
      brokers: kafka.bootstrap(sasl ? 'saslPlaintext' : 'admin'),
      ssl: false,
      clientId: 'millrace-test',
      metadataMaxAgeMs: 2_000,
    });
    const client = driver.connect(sasl);
    const tape = new Tape();
    tape.start(client, { topic, start });
    t.after(() => client.close());
    tapes.set(driver.name, tape);
  }
  return tapes;
}

/** Every record of the log came to every reader, once, in order. */
export async function assertAllRead(
  kafka: KafkaAccess,
  topic: string,
  tapes: ReadonlyMap<string, Tape>,
): Promise<void> {
  const ends = await kafka.offsets(topic);
  for (const [name, tape] of tapes) {
    for (const { partition, high } of ends) {
      await tape.untilPosition(partition, high);
      const expected = Array.from({ length: high }, (_, offset) => offset);
      assert.deepEqual(tape.offsets(partition), expected, `${name}, partition ${partition}`);
    }
  }
}

export async function untilRunning(tapes: ReadonlyMap<string, Tape>): Promise<void> {
  for (const [name, tape] of tapes) {
    await tape.until(() => tape.reader.status.state === 'running', `running reader of ${name}`);
  }
}
