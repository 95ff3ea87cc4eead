import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { connect } from 'node:net';
import { json } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { captureLog } from '../../support/captured-log.ts';
import { basic } from '../../support/graphql-client.ts';
import { feedIs, runEmbedded } from '../../support/server.ts';
import { until } from '../../support/until.ts';

const authorization = basic({ projectId: 'acme', key: 'acme-read' });
const query = `/graphql?query=${encodeURIComponent('{ project { id } }')}`;
const accept = 'text/html, application/json';

async function run(t: TestContext, graphiql: boolean): Promise<string> {
  const settings = { MILLRACE_GRAPHQL_GRAPHIQL: String(graphiql) };
  const { server } = await runEmbedded(t, { topics: [], settings });
  return `${server.url}${query}`;
}

test('without GraphiQL a query from a browser is authenticated like any other', async (t) => {
  const url = await run(t, false);
  const refused = await fetch(url, { headers: { accept } });
  assert.equal(refused.status, 401);
  assert.match(await refused.text(), /UNAUTHENTICATED/);
  const answered = await fetch(url, { headers: { accept, authorization } });
  assert.deepEqual(await answered.json(), { data: { project: { id: 'acme' } } });
});

test('with GraphiQL a browser gets the page and nothing else, whatever its URL asks for', async (t) => {
  const url = await run(t, true);
  for (const headers of [{ accept }, { accept, authorization }]) {
    const response = await fetch(url, { headers });
    assert.equal(response.status, 200);
    assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
    const page = await response.text();
    assert.match(page, /<title>Millrace<\/title>/);
    assert.doesNotMatch(page, /"acme"/);
    const plain = await fetch(url, { headers: { ...headers, 'accept-encoding': 'identity' } });
    assert.equal(plain.headers.get('content-encoding'), null);
    assert.equal(await plain.text(), page);
  }
  const head = await fetch(url, { method: 'HEAD', headers: { accept } });
  assert.equal(head.status, 401);
});

test('what a client writes wrongly into its address or its Host is no fault of the server', async (t) => {
  const log = captureLog();
  const { server } = await runEmbedded(t, { topics: [], logger: log.logger });
  for (const argument of ['variables', 'extensions']) {
    const response = await fetch(`${server.url}${query}&${argument}={`, {
      headers: { authorization },
    });
    assert.equal(response.status, 400);
    const { errors } = Object(await response.json());
    assert.deepEqual(errors[0].extensions, { code: 'BAD_USER_INPUT', argument });
  }
  for (const host of ['a b/?#', '[::', 'x:99999999']) {
    const asked = get(`${server.url}${query}`, { agent: false, headers: { host, authorization } });
    const [response] = await once(asked, 'response');
    assert.deepEqual(await json(response), { data: { project: { id: 'acme' } } }, host);
  }
  const faults = log.lines.filter(({ level }) => level === 'error');
  assert.deepEqual(faults, []);
});

test('an SSE client that takes nothing is let go when it leaves, and does not hold up closing', async (t) => {
  const { server, kafka } = await runEmbedded(t, { topics: ['acme.purchases'] });
  const body = JSON.stringify({
    query: 'subscription { events(topic: "purchases", order: ARRIVAL) { payload } }',
  });
  const stalled = () => {
    const { port, hostname: host } = new URL(server.url);
    const client = connect({ port: Number(port), host });
    client.on('error', () => undefined);
    t.after(() => client.destroy());
    client.pause();
    client.write(
      [
        'POST /graphql HTTP/1.1',
        'host: x',
        'accept: text/event-stream',
        'content-type: application/json',
        `authorization: ${authorization}`,
        `content-length: ${body.length}`,
        '',
        body,
      ].join('\r\n'),
    );
    return client;
  };
  const leaving = stalled();
  stalled();
  await feedIs(server, 'acme.purchases', { subscribers: 2 });
  const feed = [...server.hub.registry.feeds()].find(
    ({ kafkaTopic }) => kafkaTopic === 'acme.purchases',
  );
  const value = JSON.stringify({ pad: 'x'.repeat(200_000) });
  for (let index = 0; index < 60; index += 1) kafka.append('acme.purchases', { value });
  await until('all to be read', () => (feed?.counts.received ?? 0) === 60);
  leaving.destroy();
  await until('its subscription to end', () => (feed?.subscribers ?? 0) < 2);
  await server.close();
});
