/**
 * How soon the first event of a cold topic reaches a subscriber: nobody has read the topic, the client
 * sends its subscription (`ARRIVAL` order) and the event is recorded right behind it.
 *
 *     node bench/cold-start.ts [kafkajs|platformatic] [rounds]
 *
 * Prints one line of JSON: milliseconds from the moment at which the cluster acknowledged the record, and
 * from the moment at which the client sent its subscription.
 */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { KafkaCluster } from '../scripts/kafka/cluster.ts';
import { openKafkaSink } from '../scripts/demo/kafka-sink.ts';
import { createLogger } from '../src/observe/logger.ts';
import { startServer } from '../src/server.ts';
import { testConfig } from '../test/support/server.ts';
import { median } from './measure.ts';

const [driver = 'kafkajs', roundsText = '15'] = process.argv.slice(2);
const rounds = Number(roundsText);
const topics = Array.from({ length: rounds + 1 }, (_, round) => `cold-${round}`);

const cluster = await KafkaCluster.start();
const kafka = await openKafkaSink({ brokers: cluster.bootstrap('admin') });
await kafka.createTopics(
  topics.map((topic) => `acme.${topic}`),
  9,
);
const config = testConfig({
  MILLRACE_KAFKA_CLIENT: driver,
  MILLRACE_KAFKA_BROKERS: cluster.bootstrap('admin').join(),
});
const server = await startServer(config, { logger: createLogger({ level: 'error' }) });
try {
  const sinceRecorded: number[] = [];
  const sinceSubscribed: number[] = [];
  for (const [round, topic] of topics.entries()) {
    const taken = await firstEvent(topic);
    // The first round warms up the compiler and opens the connections that every topic shares.
    if (round === 0) continue;
    sinceRecorded.push(taken.sinceRecordedMs);
    sinceSubscribed.push(taken.sinceSubscribedMs);
  }
  console.log(
    JSON.stringify({
      bench: 'cold-start',
      driver,
      rounds,
      sinceRecordedMs: {
        median: round1(median(sinceRecorded)),
        most: round1(Math.max(...sinceRecorded)),
      },
      sinceSubscribedMs: {
        median: round1(median(sinceSubscribed)),
        most: round1(Math.max(...sinceSubscribed)),
      },
    }),
  );
} finally {
  await server.close();
  await kafka.close();
  await cluster.stop();
}

async function firstEvent(
  topic: string,
): Promise<{ sinceRecordedMs: number; sinceSubscribedMs: number }> {
  const socket = new WebSocket(
    `${server.url.replace('http', 'ws')}/graphql`,
    'graphql-transport-ws',
  );
  await once(socket, 'open');
  send(socket, { type: 'connection_init', payload: { projectId: 'acme', key: 'acme-read' } });
  await once(socket, 'message');
  const arrived = once(socket, 'message').then(() => performance.now());
  const query = `subscription { events(topic: "${topic}", order: ARRIVAL) { id } }`;
  const subscribedAtMs = performance.now();
  send(socket, { id: '1', type: 'subscribe', payload: { query } });
  await kafka.send([
    {
      kind: 'unparsable',
      topic: `acme.${topic}`,
      partition: 4,
      value: '{"keen":{"id":"first"}}',
      // Its own clock may not say that it was made before the subscription was accepted.
      timestampMs: Date.now() + 1_000,
    },
  ]);
  const recordedAtMs = performance.now();
  const arrivedAtMs = await arrived;
  socket.terminate();
  return {
    // The event may come before the producer hears that it was recorded.
    sinceRecordedMs: Math.max(0, arrivedAtMs - recordedAtMs),
    sinceSubscribedMs: arrivedAtMs - subscribedAtMs,
  };
}

function send(socket: WebSocket, message: object): void {
  socket.send(JSON.stringify(message));
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
