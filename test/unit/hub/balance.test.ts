import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { HubOptions } from '../../../src/hub/hub.ts';
import type { EmbeddedKafka } from '../../../src/kafka/embedded/embedded-kafka.ts';
import type { KafkaDriver } from '../../../src/kafka/port.ts';
import { collect, openHub } from '../../support/hub.ts';
import { settle } from '../../support/manual-clock.ts';

const MiB = 2 ** 20;
const eventBytes = 32 * 1024;
const perPartition = 300;
const hourMs = 3_600_000;

/**
 * The log of two hours, too large to be held: partition 0 has the events of the first and partition 1
 * those of the second, so all of partition 0 must be read before the first event of partition 1 is due.
 */
async function openPast(t: TestContext, options: Partial<HubOptions> = {}) {
  const pauses: Pauses = { paused: new Set(), resumed: () => undefined };
  const opened = openHub(t, {
    topics: { purchases: 2 },
    settings: { maxHeldBytes: 4 * MiB },
    options,
    driver: (embedded) => observed(embedded, pauses),
  });
  const { clock, kafka } = opened;
  const startMs = clock.now() - 2 * hourMs;
  const ids = [0, 1].flatMap((partition) => {
    const fromMs = startMs + partition * hourMs;
    return fill(kafka, partition, fromMs);
  });
  let mostHeld = 0;
  const look = (): void => {
    for (const { counts } of opened.hub.registry.feeds()) {
      mostHeld = Math.max(mostHeld, counts.held);
    }
  };
  /** Lets as much be read as can be, and watches the buffer. */
  const run = async (turns: number): Promise<void> => {
    for (let turn = 0; turn < turns; turn += 1) {
      await settle(1);
      look();
    }
  };
  /** Readers of the past are opened for those who come within a moment. */
  const events: typeof opened.events = async (request) => {
    const accepted = opened.events(request);
    await settle();
    await clock.advance(20);
    return accepted;
  };
  return { ...opened, events, startMs, ids, pauses, run, mostHeld: () => mostHeld * eventBytes };
}

function fill(
  kafka: EmbeddedKafka,
  partition: number,
  fromMs: number,
  { topic = 'purchases', count = perPartition } = {},
): string[] {
  return Array.from({ length: count }, (_, i) => {
    const id = `${partition} ${i}`;
    const timestampMs = fromMs + (i * hourMs) / count;
    const at = new Date(timestampMs).toISOString();
    const pad = 'x'.repeat(eventBytes - JSON.stringify({ id, at, pad: '' }).length);
    kafka.append(topic, { partition, value: JSON.stringify({ id, at, pad }), timestampMs });
    return id;
  });
}

interface Pauses {
  readonly paused: Set<number>;
  resumed: (partition: number) => void;
}

/** Notes which partitions are paused. */
function observed(driver: KafkaDriver, pauses: Pauses): KafkaDriver {
  return {
    name: driver.name,
    connect(sasl) {
      const client = driver.connect(sasl);
      const openReader = client.openReader.bind(client);
      client.openReader = (options) => {
        const reader = openReader(options);
        const [pause, resume] = [reader.pause.bind(reader), reader.resume.bind(reader)];
        reader.pause = (asked) => {
          const partitions = [...asked];
          for (const partition of partitions) pauses.paused.add(partition);
          pause(partitions);
        };
        reader.resume = (asked) => {
          const partitions = [...asked];
          for (const partition of partitions) {
            if (pauses.paused.delete(partition)) pauses.resumed(partition);
          }
          resume(partitions);
        };
        return reader;
      };
      return client;
    },
  };
}

test('a partition that is ahead waits while too much is held, and everything comes in order', async (t) => {
  const { clock, ids, startMs, pauses, run, mostHeld, events } = await openPast(t);
  const received = collect(await events({ sinceMs: startMs }));
  await run(100);
  await clock.advance(10_000);
  assert.deepEqual(received.ids, ids);
  assert.deepEqual(received.late, []);
  assert.ok(mostHeld() > 2 * MiB && mostHeld() < 4 * MiB, `held ${mostHeld()}`);
  assert.deepEqual([...pauses.paused], []);
});

test('a partition that waits goes on below a quarter of the bound, not as soon as it is below the half', async (t) => {
  const { clock, kafka, hub, pauses, run, events } = await openPast(t, {
    maxQueuedBytes: 1_024 * MiB,
  });
  // The same hour in both, twice as dense in one: the other comes ahead again and again.
  kafka.createTopic('dense', 2);
  const fromMs = clock.now() - hourMs;
  const count = 600;
  fill(kafka, 0, fromMs, { topic: 'dense', count });
  fill(kafka, 1, fromMs, { topic: 'dense', count: count / 2 });
  const resumedAt: number[] = [];
  pauses.resumed = (partition) => {
    const [feed] = hub.registry.feeds();
    if (partition === 1) resumedAt.push((feed?.counts.held ?? 0) * eventBytes);
  };
  const received = collect(await events({ topic: 'dense', sinceMs: fromMs }));
  await run(100);
  await clock.advance(10_000);
  assert.equal(received.ids.length, 1.5 * count);
  assert.ok(resumedAt.length >= 2, `it waited ${resumedAt.length} times`);
  assert.ok(
    resumedAt.every((held) => held < MiB),
    `it went on at ${resumedAt.join(', ')}`,
  );
});

test('when the slowest partition no longer answers, those that wait for it go on', async (t) => {
  const { clock, kafka, ids, startMs, run, events } = await openPast(t);
  const received = collect(await events({ sinceMs: startMs }));
  while (received.ids.length < 50) await run(1);
  kafka.setPartitionAvailable('purchases', 0, false);
  await clock.advance(60_000);
  const ofPartition1 = ids.filter((id) => id.startsWith('1 '));
  assert.deepEqual(
    received.ids.filter((id) => id?.startsWith('1 ')),
    ofPartition1,
  );
  kafka.setPartitionAvailable('purchases', 0, true);
  await run(100);
  await clock.advance(10_000);
  assert.deepEqual(received.sortedIds, ids.toSorted());
});

test('an outage while some wait loses neither events nor their order', async (t) => {
  const { clock, kafka, ids, startMs, run, events } = await openPast(t);
  const received = collect(await events({ sinceMs: startMs }));
  while (received.ids.length < 50) await run(1);
  kafka.setAvailable(false);
  await clock.advance(300_000);
  kafka.setAvailable(true);
  await run(100);
  await clock.advance(10_000);
  assert.deepEqual(received.ids, ids);
  assert.deepEqual(received.late, []);
});

test('a reader of the past that takes nothing for a while costs no more than its bound, and loses nothing', async (t) => {
  const { clock, ids, startMs, run, events } = await openPast(t);
  const subscription = await events({ sinceMs: startMs });
  await run(100);
  await clock.advance(300_000);
  const { queuedBytes } = subscription;
  // An answer, and the one that was under way.
  assert.ok(queuedBytes > 0 && queuedBytes <= 2 * MiB, `${queuedBytes} bytes are queued`);
  const received = collect(subscription);
  await run(200);
  await clock.advance(10_000);
  assert.deepEqual(received.ids, ids);
  assert.deepEqual(received.late, []);
});

test('a partition that is added while its reader takes nothing is held up as the others are', async (t) => {
  const { clock, kafka, ids, startMs, run, events } = await openPast(t);
  const subscription = await events({ sinceMs: startMs, order: 'ARRIVAL' });
  await run(100);
  kafka.addPartitions('purchases', 1);
  const more = fill(kafka, 2, clock.now());
  await run(100);
  assert.ok(subscription.queuedBytes < 4 * MiB, `${subscription.queuedBytes} bytes are queued`);
  const received = collect(subscription);
  await run(200);
  await clock.advance(10_000);
  assert.deepEqual(received.sortedIds, [...ids, ...more].toSorted());
});
