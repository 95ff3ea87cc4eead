/**
 * A server in this process, which was given a small heap, and subscriptions that have it keep as much as it may. Prints
 * what it has left out when all events are read; a process that runs out of heap ends before that.
 */
import { systemClock } from '../../../src/core/clock.ts';
import type { Conflated } from '../../../src/hub/delivery.ts';
import type { FeedCounts } from '../../../src/hub/feed-counts.ts';
import type { Message } from '../../../src/hub/message.ts';
import type { Subscription } from '../../../src/hub/subscription.ts';
import { EmbeddedKafka } from '../../../src/kafka/embedded/embedded-kafka.ts';
import { createLogger } from '../../../src/observe/logger.ts';
import { startServer } from '../../../src/server.ts';
import { principalOf } from '../../support/hub.ts';
import { testConfig } from '../../support/server.ts';
import { until } from '../../support/until.ts';

const groups = 16;
const events = 4_000;
const eventBytes = 100_000;

const kafka = new EmbeddedKafka({ clock: systemClock });
const server = await startServer(
  testConfig({
    MILLRACE_TOPICS_DEFAULTS_LATENESS: '0',
    MILLRACE_TOPICS_OVERRIDES: JSON.stringify({ orders: { lateness: '1h', dedupWindow: '1h' } }),
  }),
  { logger: createLogger({ level: 'error' }), driver: kafka.driver() },
);
const { hub } = server;
const principal = principalOf('acme');

/** Takes everything, and keeps nothing. */
function discard<Item extends Message>(subscription: Subscription<Item>): void {
  subscription.attach({
    backlogBytes: 0,
    deliver: () => undefined,
    whenTaken: (taken) => setImmediate(taken),
    end: (error) => {
      throw error ?? new Error('a subscription has ended');
    },
  });
}

/** Batches and intervals that are open for long. */
async function keepInGroups(topic: string): Promise<void> {
  const latest: Conflated = { mode: 'LATEST', by: 'number', everyMs: 60_000 };
  const batching = { maxEvents: 10_000, maxWaitMs: 60_000 };
  for (let group = 0; group < groups; group += 1) {
    const where = [{ property: 'group', operator: 'EQ', value: group }] as const;
    const of = { topic, order: 'ARRIVAL', deduplicate: false, where } as const;
    discard(await hub.events(principal, { ...of, delivery: latest }));
    discard(await hub.eventBatches(principal, { ...of, batching }));
  }
}

/** An order whose events wait for others for long. */
async function keepInOrder(topic: string): Promise<void> {
  const of = { topic, order: 'TIMESTAMP', deduplicate: true, where: [] } as const;
  discard(await hub.events(principal, of));
}

/** @param keep subscribes to a topic */
async function run(
  topic: string,
  keep: (topic: string) => Promise<void>,
  sentEarly: (counts: FeedCounts) => number,
): Promise<void> {
  const kafkaTopic = `acme.${topic}`;
  kafka.createTopic(kafkaTopic, 1);
  await keep(topic);
  const feed = [...hub.registry.feeds()].find((each) => each.kafkaTopic === kafkaTopic);
  if (feed === undefined) throw new Error(`no feed of ${topic}`);
  for (let number = 0; number < events; number += 1) {
    const pad = String(number).padEnd(eventBytes, 'x');
    kafka.append(kafkaTopic, { value: JSON.stringify({ group: number % groups, number, pad }) });
    if (number % 20 === 19) {
      await until('them to be read', () => feed.counts.received > number);
      kafka.deleteRecords(kafkaTopic, 0, number + 1);
    }
  }
  console.log(`sent early: ${sentEarly(feed.counts)}`);
}

const [, , what] = process.argv;
if (what === 'order') await run('orders', keepInOrder, ({ releasedEarly }) => releasedEarly);
else await run('purchases', keepInGroups, ({ cutIntervals }) => cutIntervals);
process.exit(0);
