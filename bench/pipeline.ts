/**
 * What decoding, ordering and de-duplication cost on top of reading, on a real Kafka.
 *
 *     node --max-semi-space-size=128 bench/pipeline.ts [kafkajs|platformatic] [records]
 *
 * The same records (about 270 bytes of JSON over 9 partitions, 20% of them out of order within the
 * lateness, 5% duplicates) are read from the beginning by each step in turn, round after round, so that
 * a slow moment of the machine hits all alike. Prints one line of JSON for each step (medians) and one
 * with the ratios. `pipelineToLibrary` is to be at least 0.7: to `broker.fetch()` of kafkajs with a `JSON.parse` of
 * each record, and nothing else. `pipelineToParse` is the same to Millrace's own reading, which is faster.
 */
import { KafkaCluster } from '../scripts/kafka/cluster.ts';
import { burst } from '../scripts/demo/burst.ts';
import { pageViews } from '../scripts/demo/collections.ts';
import { openKafkaSink } from '../scripts/demo/kafka-sink.ts';
import { sendAll } from '../scripts/demo/produce.ts';
import { systemClock } from '../src/core/clock.ts';
import { createDecoder } from '../src/decode/decoder.ts';
import type { Event } from '../src/decode/event.ts';
import type { KafkaDriver, RecordBatch } from '../src/kafka/port.ts';
import { Sequencer } from '../src/sequence/sequencer.ts';
import { type LibraryRecord, readByKafkajs } from './kafkajs-fetch.ts';
import { median, openDriver } from './measure.ts';

const rounds = 3;
const partitions = 9;
const topic = 'bench-pipeline';
/** With 2 s of lateness, 20,000 events are held. */
const eventsPerSecond = 10_000;
const library = 'kafkajs fetch + JSON.parse';
/** That a feed decodes before its streams get them. */
const recordsTogether = 128;
const paths = { id: 'keen.id', timestamp: 'keen.timestamp', sequence: 'sequence_number' };

const [driverName = 'kafkajs', eventsText = '1000000'] = process.argv.slice(2);
const events = Number(eventsText);

/** What is done with each answer; `end` is asked when all has been read. */
interface Step {
  take(batches: readonly RecordBatch[]): void;
  /** What came out, where the step makes events. */
  end?(): { readonly events: number; readonly held: number; readonly mostHeld: number };
}

const steps: Readonly<Record<string, () => Step>> = {
  fetch: () => ({ take: () => undefined }),
  'fetch + JSON.parse': () => ({
    take: (batches) => {
      for (const { records } of batches) {
        for (const { value } of records) sink = JSON.parse(value?.toString() ?? 'null');
      }
    },
  }),
  'fetch + decode': () => {
    const decode = createDecoder(paths);
    return {
      take: (batches) => {
        for (const { partition, records } of batches) {
          for (const record of records) sink = decode(partition, record);
        }
      },
    };
  },
  'fetch + decode + order + deduplicate': pipeline,
};

let sink: unknown;
let mostHeld = 0;

function pipeline(): Step {
  const decode = createDecoder(paths);
  let emitted = 0;
  let mostHeld = 0;
  const sequencer = new Sequencer({
    order: 'TIMESTAMP',
    deduplicate: true,
    latenessMs: 2_000,
    dedupWindowMs: 600_000,
    maxDedupBytes: 256 * 1024 * 1024,
    maxHeldBytes: 256 * 1024 * 1024,
    idKey: new Uint8Array(32),
    clock: systemClock,
    emit: (event) => {
      sink = event;
      emitted += 1;
    },
  });
  for (let partition = 0; partition < partitions; partition += 1) {
    sequencer.addPartition(partition, 0);
  }
  return {
    take: (batches) => {
      // As a feed does.
      const nowMs = Date.now();
      for (const { partition, records, nextOffset, highWatermark } of batches) {
        for (let from = 0; from < records.length; from += recordsTogether) {
          const together: Event[] = [];
          for (const record of records.slice(from, from + recordsTogether)) {
            const decoded = decode(partition, record);
            if (decoded.kind === 'event') together.push(decoded);
          }
          sequencer.ingestBatch(partition, together);
        }
        sequencer.advance(partition, nextOffset);
        if (nextOffset >= highWatermark) sequencer.caughtUp(partition, nowMs);
      }
      mostHeld = Math.max(mostHeld, sequencer.held);
      sequencer.release();
    },
    end: () => ({ events: emitted + sequencer.held, held: sequencer.held, mostHeld }),
  };
}

/** All steps but that of the library alone. */
const stepNames = [library, ...Object.keys(steps)];

const cluster = await KafkaCluster.start({ jvmOptions: ['-Xms512m', '-Xmx1g'] });
try {
  const sent = await send(cluster.bootstrap('admin'));
  const driver = await openDriver(driverName, cluster.bootstrap('admin'));

  const seconds = new Map<string, number[]>();
  const cpu = new Map<string, number[]>();
  // One round more than counts: the first warms up the compiler and the broker's page cache.
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of stepNames) {
      const step = steps[name]?.();
      const measured = await measure(() =>
        step === undefined ? readByLibrary(sent.records) : read(driver, sent.records, step),
      );
      const out = step?.end?.();
      if (out !== undefined) check(out, sent.events);
      if (round === 0) continue;
      seconds.set(name, [...(seconds.get(name) ?? []), measured.seconds]);
      cpu.set(name, [...(cpu.get(name) ?? []), measured.cpuUs]);
    }
  }

  const rates = new Map<string, number>();
  for (const [step, taken] of seconds) {
    rates.set(step, sent.records / median(taken));
    print({
      step,
      driver: driverName,
      records: sent.records,
      recordBytes: Math.round(sent.bytesPerRecord),
      recordsPerSecond: Math.round(sent.records / median(taken)),
      cpuUsPerRecord: round2(median(cpu.get(step) ?? []) / sent.records),
    });
  }
  const rate = (step: string): number => rates.get(step) ?? Number.NaN;
  print({ mostHeld });
  const whole = rate('fetch + decode + order + deduplicate');
  print({
    ratios: {
      pipelineToLibrary: round2(whole / rate(library)),
      pipelineToFetch: round2(whole / rate('fetch')),
      pipelineToParse: round2(whole / rate('fetch + JSON.parse')),
      decodeToParse: round2(rate('fetch + decode') / rate('fetch + JSON.parse')),
    },
  });
} finally {
  await cluster.stop();
}
if (sink === undefined) throw new Error('nothing was read');

/**
 * Makes the records and has the broker take them. None of them outlives this: half a gigabyte of them would be marked
 * by each collection of what is measured.
 */
async function send(
  brokers: readonly string[],
): Promise<{ records: number; events: number; bytesPerRecord: number }> {
  const { records, manifest } = burst({
    collection: pageViews,
    topic,
    deadLetterTopic: `${topic}-dlq`,
    seed: 1,
    startMs: Date.now() - (events / eventsPerSecond) * 1_000 - 5_000,
    eventsPerSecond,
    partitions,
    events,
    disorder: {
      delayedShare: 0.2,
      lateShare: 0,
      duplicateShare: 0.05,
      deadLetterShare: 0,
      unparsableShare: 0,
    },
  });
  const kafka = await openKafkaSink({ brokers });
  await kafka.createTopics([topic], partitions);
  await sendAll(records, kafka);
  await kafka.close();
  const bytes = records.reduce((sum, { value }) => sum + value.length, 0);
  return {
    records: records.length,
    events: manifest.events.length,
    bytesPerRecord: bytes / records.length,
  };
}

async function measure(run: () => Promise<void>): Promise<{ seconds: number; cpuUs: number }> {
  const began = performance.now();
  const cpuBefore = process.cpuUsage();
  await run();
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { seconds, cpuUs: user + system };
}

async function readByLibrary(count: number): Promise<void> {
  await readByKafkajs({
    brokers: cluster.bootstrap('admin'),
    topic,
    partitions,
    count,
    take: parseAll,
  });
}

function parseAll(records: readonly LibraryRecord[]): void {
  for (const { value } of records) sink = JSON.parse(value?.toString() ?? 'null');
}

async function read(driver: KafkaDriver, count: number, step: Step): Promise<void> {
  const client = driver.connect(null);
  const done = Promise.withResolvers<void>();
  const start = new Map(Array.from({ length: partitions }, (_, partition) => [partition, 0]));
  let seen = 0;
  client.openReader({
    topic,
    start,
    onBatches: (batches) => {
      step.take(batches);
      for (const { records } of batches) seen += records.length;
      if (seen >= count) done.resolve();
    },
    onStatus: (status) => {
      if (status.state === 'failed') done.reject(status.error);
    },
  });
  await done.promise;
  await client.close();
}

/** That the work was done which the bench speaks of: all events came out, few of them only at the end. */
function check(out: ReturnType<Required<Step>['end']>, expected: number): void {
  if (out.events !== expected) throw new Error(`${out.events} events came out of ${expected}`);
  mostHeld = Math.max(mostHeld, out.mostHeld);
  const likely = eventsPerSecond * 10;
  if (out.held > likely || out.mostHeld > likely) throw new Error(`${out.mostHeld} were held`);
}

function print(line: object): void {
  console.log(JSON.stringify({ bench: 'pipeline', ...line }));
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
