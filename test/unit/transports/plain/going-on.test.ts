import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { EmbeddedKafka } from '../../../../src/kafka/embedded/embedded-kafka.ts';
import type { RunningServer } from '../../../../src/server.ts';
import { basic } from '../../../support/graphql-client.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { feedIs, runServer, testConfig } from '../../../support/server.ts';
import { until } from '../../../support/until.ts';

const headers = { authorization: basic({ projectId: 'acme', key: 'acme-read' }) };

interface Stage {
  readonly clock: ManualClock;
  readonly kafka: EmbeddedKafka;
  readonly server: RunningServer;
  /** Subscribes; answers what comes. */
  readonly open: (path: string) => Promise<Record<string, unknown>[]>;
}

/** A server on a clock that stands still. */
async function setStage(
  t: TestContext,
  topics: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<Stage> {
  const clock = new ManualClock();
  const kafka = new EmbeddedKafka({ clock });
  for (const topic of topics) kafka.createTopic(topic, 3);
  const server = await runServer(t, testConfig(settings), { driver: kafka.driver(), clock });
  const open = async (path: string): Promise<Record<string, unknown>[]> => {
    const url = `${server.url.replace('http', 'ws')}/feeds/purchases${path}`;
    const socket = new WebSocket(url, 'millrace.v1', { headers });
    t.after(() => socket.terminate());
    const messages: Record<string, unknown>[] = [];
    socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString())));
    await until('ready', async () => {
      await clock.advance(10);
      return messages.length > 0;
    });
    return messages;
  };
  return { clock, kafka, server, open };
}

const both = ['acme.purchases', 'acme.purchases-dlq'];

for (const [path, record] of [
  ['', '{"keen":{"id":"between"}}'],
  ['/dead-letters', 'between'],
] as const) {
  test(`a client that was cut before anything came goes on with the cursor of ready: "${path}"`, async (t) => {
    const { clock, kafka, open } = await setStage(t, both);
    kafka.append('acme.purchases', { value: path === '' ? '{}' : 'earlier' });
    await clock.advance(10_000);
    const [ready] = await open(path);
    assert.equal(ready?.['type'], 'ready');
    kafka.append('acme.purchases', { value: record });
    const again = await open(`${path}?after=${String(ready?.['cursor'])}`);
    await until('what was recorded in between', async () => {
      await clock.advance(500);
      return again.length > 1;
    });
    assert.deepEqual(again[0], { type: 'ready' });
    const items = again.filter(({ type }) => type === 'event' || type === 'deadLetter');
    assert.equal(items.length, 1);
    assert.match(JSON.stringify(items), /between/);
  });

  test(`a feed from the past tells when it has come to the present: "${path}"`, async (t) => {
    const { clock, kafka, open } = await setStage(t, both);
    for (const partition of [0, 1, 2]) {
      kafka.append('acme.purchases', { partition, value: record });
    }
    await clock.advance(10_000);
    const messages = await open(`${path}?since=2020-01-01T00:00:00Z`);
    await until('live', async () => {
      await clock.advance(500);
      return messages.some(({ type }) => type === 'live');
    });
    // Of the events the two others are copies.
    const expected =
      path === ''
        ? ['ready', 'event', 'live']
        : ['ready', 'deadLetter', 'deadLetter', 'deadLetter', 'live'];
    assert.deepEqual(
      messages.map(({ type }) => type),
      expected,
    );
    const cursor = String(messages.at(-1)?.['cursor']);
    kafka.append('acme.purchases', {
      value: path === '' ? '{"keen":{"id":"next"}}' : 'next, no JSON',
    });
    const again = await open(`${path}?after=${cursor}`);
    await until('the next one', async () => {
      await clock.advance(500);
      return again.some((message) => JSON.stringify(message).includes('next'));
    });
    assert.equal(again.filter(({ type }) => type === 'event' || type === 'deadLetter').length, 1);
  });
}

test('where the dead-letter topic does not exist yet, a feed from the past becomes live as well', async (t) => {
  const { clock, open } = await setStage(t, ['acme.purchases']);
  const messages = await open('/dead-letters?since=2020-01-01T00:00:00Z');
  await until('live', async () => {
    await clock.advance(500);
    return messages.some(({ type }) => type === 'live');
  });
});

test('a feed that has nothing to tell says at least that it is alive', async (t) => {
  const { clock, kafka, server, open } = await setStage(t, ['acme.purchases']);
  kafka.setAvailable(false);
  const messages = await open('');
  assert.deepEqual(messages, [{ type: 'ready' }]);
  await clock.advance(24_000);
  await until('a sign of life', () => messages.length > 1);
  assert.deepEqual(messages[1], { type: 'alive' });
  kafka.setAvailable(true);
  await until('the feed', async () => {
    await clock.advance(1_000);
    return [...server.hub.registry.feeds()].some(({ state }) => state === 'RUNNING');
  });
  await feedIs(server, 'acme.purchases');
});

test('a project that has been sent too much has its clients let in, and told that they are alive', async (t) => {
  const { clock, kafka, open } = await setStage(t, ['acme.purchases'], {
    MILLRACE_LIMITS_BYTES_PER_SECOND_PER_PROJECT: '1KiB',
  });
  const first = await open('');
  const record = (id: string, pad = ''): void =>
    void kafka.append('acme.purchases', { value: JSON.stringify({ keen: { id }, pad }) });
  // What is sent of it takes more than a minute and a half to be made up for.
  record('large', 'x'.repeat(100_000));
  await until('the event', async () => {
    await clock.advance(100);
    return first.some(({ type }) => type === 'event');
  });
  const beganAtMs = clock.now();
  const second = await open('');
  assert.ok(clock.now() - beganAtMs < 1_000, `let in after ${clock.now() - beganAtMs} ms`);
  record('next');
  await clock.advance(24_000);
  const feeds = [first, second];
  await until('signs of life', () => feeds.every((feed) => feed.at(-1)?.['type'] === 'alive'));
  await until('the next event', async () => {
    await clock.advance(1_000);
    return feeds.every((feed) => JSON.stringify(feed).includes('"next"'));
  });
  assert.ok(clock.now() - beganAtMs > 90_000);
});
