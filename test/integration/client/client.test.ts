import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createClient, type FeedError } from 'millrace/client';
import { freePorts } from '../../../scripts/kafka/ports.ts';
import type { RunningServer } from '../../../src/server.ts';
import { openProducer, sharedCluster } from '../../support/kafka.ts';
import { type Line, openLine } from '../../support/line.ts';
import { basic } from '../../support/graphql-client.ts';
import { feedIs } from '../../support/server.ts';
import { until } from '../../support/until.ts';
import { memoryStorage } from '../../unit/client/scripted-server.ts';
import { type ProjectTopic, projectTopic, reader, runOnKafka } from '../acceptance/real-server.ts';

interface Stage {
  readonly topic: ProjectTopic;
  readonly line: Line;
  /** What client and server are connected by. */
  readonly url: string;
  readonly server: () => RunningServer;
  readonly restart: () => Promise<void>;
  /** Records so many events more; answers how many there are. */
  readonly record: (count: number) => Promise<number>;
}

/** A server before a real Kafka, and a line to it that can be cut. */
async function setStage(t: TestContext): Promise<Stage> {
  const kafka = await sharedCluster();
  const topic = await projectTopic(t, kafka, 'purchases', { partitions: 3 });
  const producer = await openProducer(t, kafka);
  const [port = 0] = await freePorts(1);
  const start = () =>
    runOnKafka(t, kafka, 'kafkajs', {
      MILLRACE_LISTEN_PORT: String(port),
      MILLRACE_CURSORS_SECRET: 'the same before and after a restart',
      MILLRACE_TOKENS_SECRET: 'the same before and after a restart',
    });
  let server = await start();
  const line = await openLine(t, port);
  let recorded = 0;
  return {
    topic,
    line,
    url: line.url,
    server: () => server,
    async restart() {
      await server.close();
      server = await start();
    },
    async record(count) {
      const records = Array.from({ length: count }, (_, index) => {
        const number = recorded + index + 1;
        const at = new Date(Date.now()).toISOString();
        return {
          partition: number % 3,
          value: JSON.stringify({
            keen: { id: `e${number}`, timestamp: at },
            sequence_number: number,
          }),
        };
      });
      recorded += count;
      await producer.send(topic.kafkaTopic, records);
      return recorded;
    },
  };
}

/** Comes back soon, so that the test does. */
const backoff = { firstMs: 50, mostMs: 500 };

test('over cuts, a restart of the server and tokens that expire, each event comes once and in order', async (t) => {
  const { topic, line, url, server, restart, record } = await setStage(t);
  let tokens = 0;
  const client = createClient({
    url,
    backoff,
    token: async () => {
      tokens += 1;
      const answer = await fetch(`${url}/tokens`, {
        method: 'POST',
        headers: { authorization: basic(reader), 'content-type': 'application/json' },
        body: JSON.stringify({ topics: [topic.name], expiresIn: '1s' }),
      });
      if (!answer.ok) throw new Error(`no token: ${answer.status}`);
      const { token } = Object(await answer.json());
      return String(token);
    },
  });
  t.after(() => client.close());
  const feed = client.events(topic.name, { order: 'SEQUENCE' });
  const ids: (string | null)[] = [];
  const names: string[] = [];
  feed.subscribe({ next: ({ id }) => ids.push(id), state: ({ name }) => names.push(name) });
  await feedIs(server(), topic.kafkaTopic);
  await until('to be live', () => feed.state.name === 'live');
  const all = async (count: number): Promise<void> =>
    until(`${count} events`, () => ids.length >= count);
  await all(await record(20));
  line.interrupt();
  await all(await record(20));
  line.cut();
  const meanwhile = await record(20);
  await until('to wait', () => feed.state.name === 'waiting');
  line.mend();
  await all(meanwhile);
  await restart();
  await all(await record(20));
  const asked = tokens;
  await until('two more tokens', () => tokens >= asked + 2);
  const count = await record(20);
  await all(count);
  assert.deepEqual(
    ids,
    Array.from({ length: count }, (_, index) => `e${index + 1}`),
  );
  await until('to be live again', () => feed.state.name === 'live');
  assert.ok(names.includes('catching-up'));
});

test('a reload goes on with the stored cursor, and dead letters come too', async (t) => {
  const { topic, url, server, record } = await setStage(t);
  const storage = memoryStorage();
  const ids: unknown[] = [];
  const page = () => {
    const client = createClient({ url, backoff, ...reader });
    t.after(() => client.close());
    client.events(topic.name, { storage, order: 'SEQUENCE' }).subscribe(({ id }) => ids.push(id));
    return client;
  };
  const first = page();
  await feedIs(server(), topic.kafkaTopic);
  const some = await record(30);
  await until('some', () => ids.length >= some);
  first.close();
  const more = await record(30);
  const second = page();
  await until('the rest', () => ids.length >= more);
  assert.equal(new Set(ids).size, ids.length);
  second.close();

  const client = createClient({ url, backoff, ...reader });
  t.after(() => client.close());
  const deadLetters = client.deadLetters(topic.name, { since: new Date(0) });
  const kafka = await sharedCluster();
  const producer = await openProducer(t, kafka);
  await producer.send(topic.kafkaTopic, [{ value: 'no JSON' }]);
  for await (const { event, source } of deadLetters) {
    assert.deepEqual([event, source], ['no JSON', 'BRIDGE']);
    break;
  }
});

test('refusals are typed', async (t) => {
  const { topic, url } = await setStage(t);
  const codeOf = async (key: string, name: string, where: string): Promise<FeedError> => {
    const client = createClient({ url, backoff, projectId: 'acme', key });
    const feed = client.events(name, {
      where: [{ property: where, operator: 'EXISTS', value: 1 }],
    });
    const outcome: unknown = await feed.next().catch((error: unknown) => error);
    return Object(outcome);
  };
  const wrong = await codeOf('wrong', topic.name, 'a');
  assert.deepEqual([wrong.code, wrong.closeCode], ['UNAUTHENTICATED', 4403]);
  const write = await codeOf('acme-write', topic.name, 'a');
  assert.deepEqual([write.code, write.message], ['FORBIDDEN', 'write keys cannot read']);
  const filter = await codeOf('acme-read', topic.name, 'a');
  assert.deepEqual([filter.code, filter.argument], ['BAD_USER_INPUT', 'where']);
});
