import kafkajs from '../../scripts/kafka/kafkajs.ts';

export const partitions = 9;

/** An event of the bench: its number is its id, so that a client can tell what it has got. */
export interface BenchEvent {
  readonly n: number;
  /** The broker's time, in milliseconds since 1970. */
  readonly atMs: number;
  /** Whose it is, for those who filter. */
  readonly user: string;
}

export interface Log {
  /** In order; a fifth of them with an own time that is up to a second before the broker's. */
  append(events: readonly BenchEvent[]): Promise<void>;
  close(): Promise<void>;
}

/** Digits of an id: 24, as those that are told apart exactly (docs/ordering.md). */
export const idDigits = 24;

export async function openLog(brokers: readonly string[], topic: string): Promise<Log> {
  const kafka = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  return {
    async append(events) {
      const messages = events.map((event) => ({
        // Neighbours lie in different partitions, and not in turn.
        partition: Math.floor(mixed(event.n) * partitions),
        timestamp: String(event.atMs),
        value: textOf(event),
      }));
      await producer.send({ topic, messages, acks: -1 });
    },
    close: () => producer.disconnect(),
  };
}

function textOf({ n, atMs, user }: BenchEvent): string {
  const delayMs = n % 5 === 0 ? Math.floor(mixed(n + 0.5) * 1_000) : 0;
  const id = String(n).padStart(idDigits, '0');
  return (
    `{"keen":{"id":"${id}","timestamp":"${new Date(atMs - delayMs).toISOString()}"},` +
    `"user":"${user}","page":"/products/${n % 500}","title":"${'x'.repeat(90)}","price":12.5}`
  );
}

/** A number from 0 to below 1 that looks like chance, always the same for the same `n`. */
function mixed(n: number): number {
  const x = Math.sin(n * 12.9898) * 43758.5453;
  return x - Math.floor(x);
}
