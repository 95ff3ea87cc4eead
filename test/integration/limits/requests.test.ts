import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { basic } from '../../support/graphql-client.ts';
import { metricsOf } from '../../support/metrics.ts';
import { runEmbedded } from '../../support/server.ts';
import { until } from '../../support/until.ts';

const authorization = basic({ projectId: 'acme', key: 'acme-read' });
const post = {
  method: 'POST',
  headers: { authorization, 'content-type': 'application/json' },
} as const;

async function run(t: TestContext, settings: Readonly<Record<string, string>>): Promise<string> {
  const { server } = await runEmbedded(t, { topics: ['acme.purchases'], settings });
  return server.url;
}

async function assertCounted(url: string, limit: string): Promise<void> {
  const series = await metricsOf(url);
  assert.equal(series.get(`millrace_limits_hit_total{limit="${limit}"}`), 1);
}

/** What the server says to these bytes and nothing more. */
function answerTo(t: TestContext, url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  const stream = connect(Number(port), hostname);
  t.after(() => stream.destroy());
  stream.write(bytes);
  return text(stream);
}

const timeouts = {
  MILLRACE_LIMITS_HEADERS_TIMEOUT: '200ms',
  MILLRACE_LIMITS_REQUEST_TIMEOUT: '300ms',
} as const;

test('who sends the head of a request one byte at a time, or nothing at all, is hung up on', async (t) => {
  const url = await run(t, timeouts);
  const [answer, silence] = await Promise.all([
    answerTo(t, url, 'GET /graphql HTTP/1.1\r\nhost: x\r\nx-slow'),
    answerTo(t, url, ''),
  ]);
  for (const said of [answer, silence]) assert.match(said, /^HTTP\/1\.1 408 /);
  assert.match(answer, /LIMIT_EXCEEDED.*limits\.requestTimeout/);
  const series = await metricsOf(url);
  assert.equal(series.get('millrace_limits_hit_total{limit="limits.requestTimeout"}'), 2);
});

test('a body that does not come to its end is not waited for', async (t) => {
  const url = await run(t, timeouts);
  const head = [
    'POST /tokens HTTP/1.1',
    'host: x',
    `authorization: ${authorization}`,
    'content-type: application/json',
    'content-length: 100',
  ];
  const answer = await answerTo(t, url, `${head.join('\r\n')}\r\n\r\n{`);
  assert.match(answer, /^HTTP\/1\.1 408 /);
});

test('the head of a request has a bound, and the longest document of a GET fits', async (t) => {
  const url = await run(t, {});
  const document = `{ project { id } } #${'#'.repeat(14_900)}`;
  const fits = await fetch(`${url}/graphql?${new URLSearchParams({ query: document })}`, {
    headers: { authorization, accept: 'application/json' },
  });
  assert.equal(fits.status, 431);
  const less = `{ project { id } } #${'x'.repeat(14_900)}`;
  const served = await fetch(`${url}/graphql?${new URLSearchParams({ query: less })}`, {
    headers: { authorization, accept: 'application/json' },
  });
  assert.deepEqual(await served.json(), { data: { project: { id: 'acme' } } });
  await assertCounted(url, 'limits.headerBytes');
});

test('a body that is too long is refused, whether its length is told before or not', async (t) => {
  const url = await run(t, { MILLRACE_LIMITS_INBOUND_FRAME_BYTES: '2000' });
  const body = JSON.stringify({ query: '{ project { id } }', variables: { a: 'x'.repeat(2_000) } });
  const told = await fetch(`${url}/graphql`, { ...post, body });
  assert.equal(told.status, 429);
  const [error] = Object(await told.json()).errors;
  assert.equal(error.extensions.limit, 'limits.inboundFrameBytes');
  await assertCounted(url, 'limits.inboundFrameBytes');

  const chunked = request(`${url}/graphql`, { ...post, agent: false });
  t.after(() => chunked.destroy());
  chunked.write(body.slice(0, 100));
  chunked.end(body.slice(100));
  const [response] = await once(chunked, 'response');
  const [untold] = Object(JSON.parse(await text(response))).errors;
  assert.equal(untold.extensions.code, 'LIMIT_EXCEEDED');
  assert.equal(untold.extensions.limit, 'limits.inboundFrameBytes');
});

test('connections beyond those that are told so are not taken at all', async (t) => {
  const url = await run(t, { MILLRACE_LIMITS_CONNECTIONS: '1' });
  const { hostname, port } = new URL(url);
  const streams = Array.from({ length: 150 }, () => {
    const stream = connect(Number(port), hostname);
    stream.on('error', () => undefined);
    t.after(() => stream.destroy());
    return stream;
  });
  const dropped = streams.map((stream) => once(stream, 'close'));
  // All but 101 are hung up on without a word.
  await Promise.all(dropped.slice(101));
  for (const stream of streams) stream.destroy();
  await Promise.all(dropped);
  await until('them to be counted', async () => {
    const series = await metricsOf(url).catch(() => undefined);
    return series?.get('millrace_limits_hit_total{limit="limits.connections"}') === 49;
  });
});

test('a socket beyond the connections is refused with words, and may come back', async (t) => {
  const url = await run(t, { MILLRACE_LIMITS_CONNECTIONS: '1' });
  const address = `${url.replace('http', 'ws')}/feeds/purchases`;
  const first = new WebSocket(address, 'millrace.v1');
  t.after(() => first.terminate());
  await once(first, 'open');
  const second = new WebSocket(address, 'millrace.v1');
  second.on('error', () => undefined);
  t.after(() => second.terminate());
  const [, response] = await once(second, 'unexpected-response');
  assert.equal(response.statusCode, 503);
  assert.equal(response.headers['retry-after'], '5');
  assert.match(await text(response), /LIMIT_EXCEEDED.*limits\.connections/);
  first.close();
  await once(first, 'close');
  const third = new WebSocket(address, 'millrace.v1');
  t.after(() => third.terminate());
  await once(third, 'open');
});
