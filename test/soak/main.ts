/**
 * `npm run test:soak [-- kafkajs|platformatic]`: an hour's worth of coming and going in a few minutes (on a
 * busy machine in ten), on a real Kafka. Clients of all transports subscribe, resume, are refused, stall and
 * are cut, and feeds are opened and closed, by tens of thousands, while some clients stay. What the server
 * holds afterwards is compared with what it held before, after a warm-up: connections, subscriptions, feeds,
 * connections to Kafka, descriptors, timers, and the heap. Exits 1 if it holds more; of the heap 10 % and
 * 4 MB are allowed.
 *
 * The seed is printed and can be given as `MILLRACE_SEED`. With `MILLRACE_SNAPSHOTS=FOLDER` the heap is written
 * there before and after, to find by Chromium's developer tools what remained. For Linux.
 */
import { KafkaCluster } from '../../scripts/kafka/cluster.ts';
import { testTenants } from '../support/kafka.ts';
import { soak } from './soak.ts';

/** Between them both Kafka clients, and both ways in which a project is let in. */
const servers = [
  { client: 'kafkajs', credentials: 'client' },
  { client: 'platformatic', credentials: 'service' },
] as const;

const named = process.argv.slice(2);
const seed = Number(process.env['MILLRACE_SEED'] ?? Date.now() % 1_000_000_000);
console.log(`MILLRACE_SEED=${seed}`);

const kafka = await KafkaCluster.start(testTenants);
try {
  for (const server of servers) {
    if (named.length > 0 && !named.includes(server.client)) continue;
    const { wrong, ...figures } = await soak(kafka, {
      ...server,
      seed,
      atOnce: 60,
      topics: 10,
      warmUpMs: 25_000,
      visits: 10_000,
      churnMs: 240_000,
      margin: { heapShare: 0.1, heapBytes: 4_000_000 },
      snapshots: process.env['MILLRACE_SNAPSHOTS'],
      log: (line) => console.error(`${server.client}: ${line}`),
    });
    console.log(JSON.stringify({ ...server, ...figures }));
    for (const what of wrong) {
      console.log(`WRONG: ${what}`);
      process.exitCode = 1;
    }
  }
} finally {
  await kafka.stop();
}
