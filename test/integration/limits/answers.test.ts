import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import type { RunningServer } from '../../../src/server.ts';
import { basic, type GraphqlResult, type Login, query } from '../../support/graphql-client.ts';
import { metricsOf } from '../../support/metrics.ts';
import { runEmbedded } from '../../support/server.ts';
import { until } from '../../support/until.ts';

/** More than systems keep of what a client on the same machine does not take. */
const answerBytes = 15_000_000;
const limit = 'limits.answerBytesPerProject';
const acme = { projectId: 'acme', key: 'acme-read' } as const;
const globex = { projectId: 'globex', key: 'globex-read' } as const;
const much = '{ recentEvents(topic: "purchases") { payload } }';
const little = '{ recentEvents(topic: "purchases", last: 1) { partition } }';

/** A server of which each project has recorded as much as one answer may hold. */
async function serveMuch(t: TestContext): Promise<RunningServer> {
  const topics = ['acme.purchases', 'globex.purchases'];
  const settings = { MILLRACE_LIMITS_ANSWER_BYTES_PER_PROJECT: '24MiB' };
  const { server, kafka } = await runEmbedded(t, { topics, settings });
  const each = 500_000;
  for (const topic of topics) {
    for (let bytes = 0; bytes < answerBytes; bytes += each) {
      kafka.append(topic, { partition: 0, value: `"${'x'.repeat(each)}"` });
    }
  }
  return server;
}

/** Asks for much, and takes nothing of it until it is resumed. */
function askAndPause(t: TestContext, { url }: RunningServer): Socket {
  const { hostname, port } = new URL(url);
  const client = connect(Number(port), hostname);
  t.after(() => client.destroy());
  const head = ['host: millrace', `authorization: ${basic(acme)}`, 'accept: application/json'];
  const target = `/graphql?query=${encodeURIComponent(much)}`;
  client.write(`GET ${target} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`);
  return client;
}

/** A WebSocket that asks for much and takes nothing of it until it is resumed. */
async function askOverSocketAndPause(t: TestContext, { url }: RunningServer): Promise<WebSocket> {
  const client = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  t.after(() => client.terminate());
  await once(client, 'open');
  client.send(JSON.stringify({ type: 'connection_init', payload: acme }));
  await once(client, 'message');
  client.pause();
  client.send(JSON.stringify({ id: 'q', type: 'subscribe', payload: { query: much } }));
  return client;
}

async function untaken({ url }: RunningServer): Promise<number> {
  return (await metricsOf(url)).get('millrace_project_answer_bytes{project="acme"}') ?? 0;
}

function assertOver({ errors, data }: GraphqlResult): void {
  const [error] = errors ?? [];
  assert.equal(error?.extensions?.['code'], 'LIMIT_EXCEEDED');
  assert.equal(error.extensions['limit'], limit);
  assert.match(error.message, /limits\.answerBytesPerProject/);
  assert.equal(data ?? null, null);
}

function assertServed({ errors, data }: GraphqlResult): void {
  assert.equal(errors, undefined, JSON.stringify(errors));
  assert.ok(data);
}

/** @param paused has asked for much, and takes it when it is resumed */
async function judge(server: RunningServer, paused: { resume(): void }): Promise<void> {
  const { url } = server;
  const ask = async (login: Login, text: string): Promise<GraphqlResult> =>
    (await query(url, login, text)).body;
  await until('an answer to wait', async () => (await untaken(server)) > answerBytes);
  assertOver(await ask(acme, much));
  // What is small has room beside it, and another project its own.
  assertServed(await ask(acme, little));
  assertServed(await ask(globex, much));
  const hits = (await metricsOf(url)).get(`millrace_limits_hit_total{limit="${limit}"}`);
  assert.equal(hits, 1);
  paused.resume();
  await until('it to be taken', async () => (await untaken(server)) === 0);
  assertServed(await ask(acme, much));
}

test('answers over HTTP that nobody takes are bounded for each project: further ones are refused', async (t) => {
  const server = await serveMuch(t);
  await judge(server, askAndPause(t, server));
});

test('answers over a WebSocket that nobody takes are bounded for each project: further ones are refused', async (t) => {
  const server = await serveMuch(t);
  await judge(server, await askOverSocketAndPause(t, server));
});

test('an answer that is gone with its client makes room', async (t) => {
  const server = await serveMuch(t);
  const waiting = async () => (await untaken(server)) > answerBytes;
  const overHttp = askAndPause(t, server);
  await until('an answer to wait', waiting);
  overHttp.destroy();
  await until('it to be gone', async () => (await untaken(server)) === 0);
  const overSocket = await askOverSocketAndPause(t, server);
  await until('an answer to wait', waiting);
  overSocket.terminate();
  await until('it to be gone', async () => (await untaken(server)) === 0);
});

test('an answer that names the same thing again and again is held to the bound before it is written', async (t) => {
  const server = await serveMuch(t);
  const twice = '{ recentEvents(topic: "purchases") { payload again: payload } }';
  assertOver((await query(server.url, acme, twice)).body);
  const client = await askOverSocketAndPause(t, server);
  await until('an answer to wait', async () => (await untaken(server)) > answerBytes);
  client.resume();
  const results: GraphqlResult[] = [];
  client.on('message', (data: Buffer) => {
    const { id, payload } = Object(JSON.parse(data.toString()));
    if (id === 'twice' && payload !== undefined) results.push(payload);
  });
  client.send(JSON.stringify({ id: 'twice', type: 'subscribe', payload: { query: twice } }));
  await until('a refusal', () => results.length > 0);
  const [result] = results;
  assert.ok(result);
  assertOver(result);
});
