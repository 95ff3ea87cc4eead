import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaAccess } from '../../../scripts/kafka/access.ts';
import { query, subscribers } from '../../support/graphql-client.ts';
import { HeldClock } from '../../support/held-clock.ts';
import { openProducer, ownCluster, type TestRecord } from '../../support/kafka.ts';
import { feedIs, haveRead } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import { kafkaClients, type ProjectTopic, reader, runOnKafka } from './real-server.ts';

const node = 1;
const partitions = 3;
const transports = ['graphql-ws', 'graphql-sse'] as const;

test('a broker is killed and comes back amid the stream: nothing lost, nothing twice, in order', async (t) => {
  const kafka = await ownCluster(t);
  const topic: ProjectTopic = { name: 'purchases', kafkaTopic: 'acme.purchases' };
  await kafka.createTopic(topic.kafkaTopic, { partitions });
  const clock = new HeldClock();
  const servers = await Promise.all(
    kafkaClients.map(async (client) => {
      const server = await runOnKafka(t, kafka, client, {}, { clock });
      const all = transports.map((transport) =>
        subscribers[transport](t, {
          url: server.url,
          login: reader,
          query: 'subscription($topic: String!) { events(topic: $topic) { sequence late } }',
          variables: { topic: topic.name },
        }),
      );
      await feedIs(server, topic.kafkaTopic, { subscribers: all.length });
      return { client, server, all };
    }),
  );
  const everyoneHas = (events: number): Promise<unknown> =>
    Promise.all(servers.flatMap(({ all }) => all.map((one) => one.atLeast(events))));

  const stream = await openEventStream(t, kafka, topic, (write) =>
    // No batch is late because the broker was away, or because others found it again sooner.
    clock.during(async () => {
      const written = await write(clock.now());
      for (const { server } of servers) await haveRead(server, topic.kafkaTopic, [written]);
    }),
  );
  await stream.untilSent(300);
  await everyoneHas(100);
  const killedAtMs = performance.now();
  await kafka.killNode(node);
  for (const { server } of servers) {
    await feedIs(server, topic.kafkaTopic, { state: 'DEGRADED', subscribers: transports.length });
    const { body } = await query(server.url, reader, '{ topics { name } }');
    assert.equal(body.errors?.[0]?.extensions?.['code'], 'KAFKA_UNAVAILABLE');
  }
  const degradedMs = performance.now() - killedAtMs;
  await kafka.startNode(node);
  const backAtMs = performance.now();
  for (const { server } of servers) {
    await feedIs(server, topic.kafkaTopic, { subscribers: transports.length });
    const { body } = await query(
      server.url,
      reader,
      'query($name: String!) { topic(name: $name) { feed { state subscribers } } }',
      { name: topic.name },
    );
    assert.deepEqual(body.data, {
      topic: { feed: { state: 'RUNNING', subscribers: transports.length } },
    });
  }
  const runningMs = performance.now() - backAtMs;
  await stream.untilSent(stream.sent + 300);
  const sent = await stream.end();
  await everyoneHas(sent);
  const expected = Array.from({ length: sent }, (_, index) => ({
    events: { sequence: String(index), late: false },
  }));
  for (const { client, server, all } of servers) {
    const feed = [...server.hub.registry.feeds()].find(
      ({ kafkaTopic }) => kafkaTopic === topic.kafkaTopic,
    );
    await until('nothing held', () => feed?.counts.held === 0);
    assert.equal(feed?.counts.delivered, sent * all.length, client);
    for (const { results } of all) {
      assert.deepEqual(
        results.map(({ data }) => data),
        expected,
        client,
      );
    }
  }
  t.diagnostic(
    `${sent} events; degraded ${Math.round(degradedMs)} ms after the kill, running ${Math.round(runningMs)} ms after the broker was back`,
  );
});

const batchSize = 10;

/** A partition and the end of it, behind what was written. */
interface Written {
  readonly partition: number;
  readonly high: number;
}

/** Events written one batch after the other, each batch until it is acknowledged. */
interface EventStream {
  readonly sent: number;
  untilSent(events: number): Promise<void>;
  /** Answers how many there were. */
  end(): Promise<number>;
}

/**
 * A batch goes to one partition, so that it is written or not as a whole. One whose acknowledgement
 * was lost is written again, with the same ids and times: at least once, in order.
 *
 * @param eachIn has a batch written as of a moment, and is told where it lies
 */
async function openEventStream(
  t: TestContext,
  kafka: KafkaAccess,
  { kafkaTopic }: ProjectTopic,
  eachIn: (write: (nowMs: number) => Promise<Written>) => Promise<void>,
): Promise<EventStream> {
  const producer = await openProducer(t, kafka);
  const ending = new AbortController();
  let sent = 0;
  const batch = (number: number, timestampMs: number): TestRecord[] => {
    const milliseconds = new Date(timestampMs).toISOString().slice(0, -1);
    return Array.from({ length: batchSize }, (_, index) => {
      const sequence = sent + index;
      const keen = { id: `e${sequence}`, timestamp: `${milliseconds}00${index}Z` };
      const value = JSON.stringify({ keen, sequence_number: sequence });
      return { partition: number % partitions, timestampMs, value };
    });
  };
  const write = async (records: readonly TestRecord[]): Promise<Written> => {
    for (;;) {
      try {
        const [range] = await producer.send(kafkaTopic, records);
        assert.ok(range);
        return { partition: range.partition, high: range.baseOffset + records.length };
      } catch (error) {
        t.diagnostic(`written again: ${String(error)}`);
      }
    }
  };
  const run = async (): Promise<void> => {
    for (let number = 0; !ending.signal.aborted; number += 1) {
      await eachIn((nowMs) => write(batch(number, nowMs)));
      sent += batchSize;
      await sleep(10);
    }
  };
  const running = run();
  const end = async (): Promise<number> => {
    ending.abort();
    await running;
    return sent;
  };
  t.after(end);
  return {
    get sent() {
      return sent;
    },
    untilSent: (events) => until(`${events} events sent`, () => sent >= events),
    end,
  };
}
