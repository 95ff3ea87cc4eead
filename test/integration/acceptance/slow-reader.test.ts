import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { freePorts } from '../../../scripts/kafka/ports.ts';
import { type Link, openEventStream, openWebSocket } from '../../chaos/link.ts';
import { ServerProcess } from '../../support/server-process.ts';
import { serviceSettings } from '../../support/service-settings.ts';
import { openProducer, sharedCluster } from '../../support/kafka.ts';
import { until } from '../../support/until.ts';
import { type ProjectTopic, projectTopic, reader } from './real-server.ts';

const MiB = 2 ** 20;
/** While all are quick, so that the server has the memory that it works with; then while some are slow. */
const [firstEvents, events] = [1_000, 3_000];
const eventBytes = 10_000;
const slowOfEachSort = 6;
/** What a reader takes in a second, in bytes. */
const trickleBytes = 1_024;
/** What all that waits for them would take, if it waited: `2 * slowOfEachSort` times 20 MB. */
const mostGrowthBytes = 120 * MiB;

test('clients at 1 KB/s and clients that stand still hold up nobody, take no memory, and lose nothing', async (t) => {
  const kafka = await sharedCluster();
  const topic = await projectTopic(t, kafka, 'slow', { partitions: 3 });
  const [port = 0] = await freePorts(1);
  const server = new ServerProcess({
    ...serviceSettings(kafka, port, 'kafkajs'),
    // However long the machine takes, those that stand still are not cut.
    MILLRACE_LIMITS_STALL_TIMEOUT: '5m',
  });
  await server.start();
  t.after(() => server.kill());
  const subscribe = (open: typeof openWebSocket): Subscribed =>
    new Subscribed(t, server.url, topic, open);
  const quick = [subscribe(openWebSocket), subscribe(openEventStream)];
  const slow = Array.from({ length: slowOfEachSort }, () => [
    subscribe(openWebSocket),
    subscribe(openEventStream),
  ]).flat();
  const producer = await openProducer(t, kafka);
  const send = async (first: number, count: number): Promise<void> => {
    const padding = 'x'.repeat(eventBytes);
    const records = Array.from({ length: count }, (_, index) => {
      const keen = { id: String(first + index), timestamp: new Date().toISOString() };
      const value = JSON.stringify({ keen, sequence_number: first + index, padding });
      return { partition: (first + index) % 3, value };
    });
    await producer.send(topic.kafkaTopic, records);
  };
  const sendUpTo = async (from: number, to: number): Promise<void> => {
    for (let first = from; first < to; first += 20) await send(first, 20);
  };
  await sendUpTo(0, firstEvents);
  for (const one of [...quick, ...slow]) await one.atLeast(firstEvents);

  const before = server.residentBytes();
  for (const one of slow) one.pause();
  const trickles = slow
    .filter((_, index) => index % 2 === 1)
    .map((one) => setInterval(() => one.take(trickleBytes), 1_000));
  t.after(() => trickles.forEach(clearInterval));
  await sendUpTo(firstEvents, events);
  for (const one of quick) await one.atLeast(events);
  const growth = server.residentBytes() - before;
  t.diagnostic(`${Math.round(growth / MiB)} MiB more`);
  assert.ok(growth < mostGrowthBytes, `${growth} bytes more`);
  assert.ok(slow.every((one) => one.numbers.length < (firstEvents + events) / 2));

  trickles.forEach(clearInterval);
  for (const one of slow) one.resume();
  for (const one of [...quick, ...slow]) {
    await one.atLeast(events);
    const inOrder = one.numbers.map((number, index) => number === index);
    assert.ok(inOrder.every(Boolean), `out of order at ${inOrder.indexOf(false)}`);
    assert.equal(one.numbers.length, events);
    assert.deepEqual(one.ends, []);
  }
});

class Subscribed {
  readonly numbers: number[] = [];
  readonly ends: string[] = [];
  readonly #link: Link;

  constructor(t: TestContext, url: string, topic: ProjectTopic, open: typeof openWebSocket) {
    const since = new Date(Date.now() - 60_000).toISOString();
    this.#link = open({
      url,
      login: reader,
      query: `subscription($topic: String!, $since: DateTime) {
        events(topic: $topic, order: SEQUENCE, since: $since) { sequence payload }
      }`,
      variables: { topic: topic.name, since },
      onResult: (result) => this.numbers.push(Number(Object(result).data?.events?.sequence)),
      onClose: (how) => this.ends.push(how),
    });
    t.after(() => this.#link.cut());
  }

  pause(): void {
    this.#link.pause();
  }

  resume(): void {
    this.#link.resume();
  }

  /** At the most so many bytes, while it is paused. */
  take(bytes: number): void {
    this.#link.take?.(bytes);
  }

  async atLeast(count: number): Promise<void> {
    await until(`${count} events`, () => this.numbers.length >= count);
  }
}
