/**
 * How fast a driver reads Kafka, without anything behind it.
 *
 *     node bench/kafka-read.ts [kafkajs|platformatic] [records]
 *
 * Prints one line of JSON: records per second, CPU microseconds a record, and milliseconds from
 * `openReader` to the first record.
 */
import { KafkaCluster } from '../scripts/kafka/cluster.ts';
import type { KafkaConnectionOptions, KafkaDriver } from '../src/kafka/port.ts';

const partitions = 9;
const recordBytes = 270;
const topic = 'bench-read';

const [driverName = 'kafkajs', recordsText = '1000000'] = process.argv.slice(2);
const records = Number(recordsText);

const createDriver = await driverNamed(driverName);
const cluster = await KafkaCluster.start({ jvmOptions: ['-Xms512m', '-Xmx1g'] });
try {
  await cluster.createTopic(topic, { partitions });
  await produce();
  const driver = createDriver({
    brokers: cluster.bootstrap('admin'),
    ssl: false,
    clientId: 'millrace-bench',
  });
  // The first run warms up the compiler and the broker's page cache.
  await read(driver);
  const measured = await read(driver);
  process.stdout.write(
    `${JSON.stringify({ bench: 'kafka-read', driver: driverName, records, partitions, recordBytes, ...measured })}\n`,
  );
} finally {
  await cluster.stop();
}

async function driverNamed(
  name: string,
): Promise<(options: KafkaConnectionOptions) => KafkaDriver> {
  if (name === 'kafkajs') {
    return (await import('../src/kafka/kafkajs/driver.ts')).createKafkajsDriver;
  }
  if (name === 'platformatic') {
    return (await import('../src/kafka/platformatic/driver.ts')).createPlatformaticDriver;
  }
  throw new Error(`No driver ${name}: kafkajs or platformatic.`);
}

/** As a producer with the usual batches of 16 KB leaves them. */
async function produce(): Promise<void> {
  const producer = cluster.client().producer({ allowAutoTopicCreation: false });
  await producer.connect();
  const perBatch = 60;
  const message = { key: 'key-00000', value: Buffer.alloc(recordBytes - 9, 'v') };
  let left = records;
  const send = async () => {
    while (left > 0) {
      const topicMessages = [];
      for (let partition = 0; partition < partitions && left > 0; partition += 1) {
        const length = Math.min(perBatch, left);
        const messages = Array.from({ length }, () => ({ ...message, partition }));
        topicMessages.push({ topic, messages });
        left -= length;
      }
      await producer.sendBatch({ topicMessages });
    }
  };
  await Promise.all([send(), send(), send()]);
  await producer.disconnect();
}

async function read(driver: KafkaDriver) {
  const client = driver.connect(null);
  const start = new Map(Array.from({ length: partitions }, (_, partition) => [partition, 0]));
  let seen = 0;
  let firstMs = 0;
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  client.openReader({
    topic,
    start,
    onBatches: (batches) => {
      for (const batch of batches) seen += batch.records.length;
      if (seen > 0 && firstMs === 0) firstMs = performance.now() - began;
      if (seen >= records) resolve();
    },
    onStatus: (status) => {
      if (status.state === 'failed') reject(status.error);
    },
  });
  await done;
  const seconds = (performance.now() - began) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  await client.close();
  return {
    recordsPerSecond: Math.round(records / seconds),
    cpuMicrosecondsPerRecord: Number(((cpu.user + cpu.system) / records).toFixed(2)),
    firstRecordMs: Number(firstMs.toFixed(1)),
  };
}
