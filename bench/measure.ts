import type { KafkaDriver } from '../src/kafka/port.ts';

/** The middle one; NaN of none. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** The driver of that name, without a login. */
export async function openDriver(name: string, brokers: readonly string[]): Promise<KafkaDriver> {
  const options = { brokers, ssl: false, clientId: 'millrace-bench' } as const;
  switch (name) {
    case 'kafkajs':
      return (await import('../src/kafka/kafkajs/driver.ts')).createKafkajsDriver(options);
    case 'platformatic':
      return (await import('../src/kafka/platformatic/driver.ts')).createPlatformaticDriver(
        options,
      );
    default:
      throw new Error(`No driver ${name}: kafkajs or platformatic.`);
  }
}
