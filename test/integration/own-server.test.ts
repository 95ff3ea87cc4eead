import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createYoga } from 'graphql-yoga';
import { EmbeddedKafka, loadConfig, openSchema, systemClock } from '../../src/index.ts';
import { basic } from '../support/graphql-client.ts';
import { testConfig, testProjects } from '../support/server.ts';
import { until } from '../support/until.ts';

const example = fileURLToPath(new URL('../../examples/own-server/server.ts', import.meta.url));
const reader = { projectId: 'acme', key: 'acme-read' };

/** The `data:` of each event of a stream, as they come. */
async function* dataOf(response: Response): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of response.body ?? []) {
    const blocks = (rest + Buffer.from(chunk).toString()).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const [, data] = /^data: (.+)$/m.exec(block) ?? [];
      if (data !== undefined) yield data;
    }
  }
}

async function openOwn() {
  const kafka = new EmbeddedKafka({ clock: systemClock });
  for (const topic of ['acme.purchases', 'globex.secret']) kafka.createTopic(topic, 1);
  const millrace = await openSchema(testConfig(), { driver: kafka.driver() });
  const yoga = createYoga({
    schema: millrace.schema,
    plugins: [millrace.plugin],
    logging: false,
    context: ({ request }) => millrace.contextOf(request),
  });
  const ask = (query: string, { key = reader.key, accept = 'application/json' } = {}) =>
    yoga.fetch('http://own.example/graphql', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept,
        authorization: basic({ ...reader, key }),
      },
      body: JSON.stringify({ query }),
    });
  return { kafka, millrace, ask };
}

test('in one’s own yoga the subscriptions deliver, with every digit, and end with the client', async (t) => {
  const { kafka, millrace, ask } = await openOwn();
  t.after(() => millrace.close());
  const query = 'subscription { events(topic: "purchases", order: ARRIVAL) { id payload } }';
  const response = await ask(query, { accept: 'text/event-stream' });
  assert.equal(response.status, 200);
  const payload = '{"keen":{"id":"a"},"n":12345678901234567890}';
  kafka.append('acme.purchases', { value: payload });
  const events = dataOf(response);
  const { value } = await events.next();
  assert.equal(value, `{"data":{"events":{"id":"a","payload":${payload}}}}`);
  kafka.append('acme.purchases', { value: '{"keen":{"id":"b"}}' });
  kafka.append('acme.purchases', { value: '{"keen":{"id":"c"}}' });
  for (const id of ['b', 'c']) {
    const next = await events.next();
    assert.equal(JSON.parse(String(next.value)).data.events.id, id);
  }
  const subscribers = async (): Promise<number> => {
    const answer = await ask('{ topic(name: "purchases") { feed { subscribers } } }');
    return Object(await answer.json()).data.topic.feed.subscribers;
  };
  assert.equal(await subscribers(), 1);
  await events.return(undefined);
  await until('the subscription to be over', async () => (await subscribers()) === 0);
});

async function codeOf(response: Response): Promise<unknown> {
  // The body is JSON, or an event with it as its data.
  const [json = ''] = /\{.*\}/.exec(await response.text()) ?? [];
  return Object(JSON.parse(json)).errors[0].extensions.code;
}

test('in one’s own yoga errors keep their codes, and nothing of others is seen', async (t) => {
  const { millrace, ask } = await openOwn();
  t.after(() => millrace.close());
  assert.equal(
    await codeOf(await ask('{ recentEvents(topic: "secret") { id } }')),
    'TOPIC_NOT_FOUND',
  );
  const subscription = 'subscription { events(topic: "secret") { id } }';
  const refused = await ask(subscription, { accept: 'text/event-stream' });
  assert.equal(await codeOf(refused), 'TOPIC_NOT_FOUND');
  await assert.rejects(millrace.contextFor({ ...reader, key: 'wrong' }), {
    code: 'UNAUTHENTICATED',
  });
  const { millrace: context } = await millrace.contextFor(reader);
  assert.equal(context.principal.projectId, 'acme');
});

test('in one’s own yoga a revoked key ends its subscription', async (t) => {
  const { millrace, ask } = await openOwn();
  t.after(() => millrace.close());
  const query = 'subscription { events(topic: "purchases", order: ARRIVAL) { id } }';
  const response = await ask(query, { accept: 'text/event-stream' });
  const { config } = loadConfig({
    env: {
      MILLRACE_KAFKA_CLIENT: 'embedded',
      MILLRACE_KAFKA_CREDENTIALS: 'service',
      MILLRACE_KAFKA_TOPIC_TEMPLATE: '{projectId}.{topic}',
      MILLRACE_AUTH_PROJECTS: JSON.stringify(
        testProjects.map(({ id, keys }) => ({
          id,
          keys: keys.filter(({ name }) => name !== 'read'),
        })),
      ),
    },
  });
  millrace.updateProjects(config?.auth.projects ?? assert.fail());
  const { value } = await dataOf(response).next();
  assert.match(String(value), /UNAUTHENTICATED/);
});

test('the example serves what it had and what Millrace has', async (t) => {
  const child = spawn(process.execPath, [example], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill());
  const { value: line = '' } = await createInterface(child.stdout)[Symbol.asyncIterator]().next();
  const [url = assert.fail(line)] = /http:\S+/.exec(line) ?? [];
  const headers = {
    'content-type': 'application/json',
    authorization: basic({ projectId: 'acme', key: 'a-key' }),
  };
  const body = JSON.stringify({ query: '{ shopName topics { name } }' });
  const answer = await fetch(url, { method: 'POST', headers, body });
  assert.deepEqual(await answer.json(), {
    data: { shopName: 'The Mill Shop', topics: [{ name: 'purchases' }] },
  });
  const stream = await fetch(url, {
    method: 'POST',
    headers: { ...headers, accept: 'text/event-stream' },
    body: JSON.stringify({ query: 'subscription { events(topic: "purchases") { payload } }' }),
  });
  const { value } = await dataOf(stream).next();
  assert.match(String(value), /"amount":/);
});
