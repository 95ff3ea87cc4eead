/**
 * `npm run demo -- --brokers HOST:PORT,... [...]`: the demo's events into any Kafka, without a server.
 *
 * Endless and at their own times; or, with `--events`, that many of one collection at once, whose
 * record times end now.
 */
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { burst } from './demo/burst.ts';
import { collections } from './demo/collections.ts';
import { openKafkaSink } from './demo/kafka-sink.ts';
import { mergePlans, produce, sendAll } from './demo/produce.ts';
import { demoProjectIds } from './demo/projects.ts';
import { demoRate } from './demo/settings.ts';
import type { RecordSink } from './demo/sink.ts';
import { StartError } from './demo/start-error.ts';
import { untilToldToStop } from './demo/stop-signal.ts';
import {
  demoNaming,
  demoPartitions,
  demoStreams,
  demoTopics,
  describeStreams,
  topicsOf,
} from './demo/streams.ts';

const usage = `npm run demo -- --brokers HOST:PORT,... [options]

  --brokers HOST:PORT,...  a listener that needs no login
  --projects ID,...        ${demoProjectIds.join(',')}
  --template TEMPLATE      ${demoNaming.topicTemplate}
  --rate FACTOR            1; multiplies the usual rates
  --seed NUMBER            any; the same seed makes the same events
  --events COUNT           so many at once, of the first project and one collection; else endless
  --collection NAME        purchases; for --events
  --manifest FILE          where to write, as JSON, what a subscriber of these events must get`;

/** Record times of events that are written at once lie so close. */
const burstEventsPerSecond = 500;

try {
  await main();
} catch (error) {
  const isUnknownOption = error instanceof TypeError && 'code' in error;
  if (!(error instanceof StartError || isUnknownOption)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      brokers: { type: 'string', default: '' },
      projects: { type: 'string', default: demoProjectIds.join(',') },
      template: { type: 'string', default: demoNaming.topicTemplate },
      rate: { type: 'string', default: '1' },
      seed: { type: 'string', default: String(randomInt(2 ** 32)) },
      events: { type: 'string' },
      collection: { type: 'string', default: 'purchases' },
      manifest: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const brokers = listOf(values.brokers);
  const projectIds = listOf(values.projects);
  const [projectId] = projectIds;
  if (values.help || brokers.length === 0 || projectId === undefined) throw new StartError(usage);
  const naming = { ...demoNaming, topicTemplate: values.template };
  const seed = wholeNumber('seed', values.seed);
  const rate = demoRate(values.rate);

  const sink = await openKafkaSink({ brokers });
  try {
    if (values.events === undefined) {
      await createTopics(sink, demoTopics(naming, projectIds));
      const startMs = Date.now();
      const streams = demoStreams({ ...naming, projectIds, seed, startMs, rate });
      say(`${describeStreams(projectIds.length, rate)} (seed ${seed}). Ctrl-C ends it.`);
      await produceUntilTold(streams, sink);
      return;
    }
    const events = wholeNumber('events', values.events);
    const collection = collections.find(({ name }) => name === values.collection);
    if (collection === undefined) throw new StartError(usage);
    const topics = topicsOf(naming, projectId, collection.name);
    await createTopics(sink, Object.values(topics));
    const eventsPerSecond = burstEventsPerSecond * rate;
    const startMs = Math.floor(Date.now() - (events / eventsPerSecond) * 1_000);
    const { records, manifest } = burst({
      collection,
      ...topics,
      seed,
      startMs,
      eventsPerSecond,
      events,
      partitions: demoPartitions,
    });
    await sendAll(records, sink);
    const { duplicateIds, lateIds, unparsable, deadLetters } = manifest;
    say(
      `${events} events in ${topics.topic} (seed ${seed}): ${duplicateIds.length} of them twice, ` +
        `${lateIds.length} late; ${unparsable.length} records that are no JSON, ` +
        `${deadLetters.length} dead letters.`,
    );
    if (values.manifest !== undefined) writeFileSync(values.manifest, JSON.stringify(manifest));
  } finally {
    await sink.close();
  }
}

async function createTopics(sink: RecordSink, names: readonly string[]): Promise<void> {
  const created = await sink.createTopics(names, demoPartitions);
  if (created.length > 0) say(`Created ${created.join(', ')}.`);
}

async function produceUntilTold(
  streams: ReturnType<typeof demoStreams>,
  sink: RecordSink,
): Promise<void> {
  const ending = new AbortController();
  const producing = produce({
    plan: mergePlans(streams),
    sink,
    signal: ending.signal,
    onTrouble: (reason) => say(`Cannot write, but tries on: ${reason}`),
  });
  await Promise.race([untilToldToStop(), producing]);
  ending.abort();
  await producing;
}

function listOf(text: string): string[] {
  return text.split(',').filter((item) => item !== '');
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw new StartError(`--${name} ${text}: a whole number was expected.`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
