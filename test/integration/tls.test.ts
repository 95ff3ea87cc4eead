import assert from 'node:assert/strict';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { type RequestOptions, request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as openTcp } from 'node:net';
import { connect, type ConnectionOptions } from 'node:tls';
import { type TestContext, test } from 'node:test';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { systemClock } from '../../src/core/clock.ts';
import { EmbeddedKafka } from '../../src/kafka/embedded/embedded-kafka.ts';
import { captureLog } from '../support/captured-log.ts';
import { makeCertificate, type TestCertificate } from '../support/certificate.ts';
import { temporaryDirectory } from '../support/config-file.ts';
import { basic } from '../support/graphql-client.ts';
import { feedIs, runServer, testConfig } from '../support/server.ts';
import { until } from '../support/until.ts';

const reader = { projectId: 'acme', key: 'acme-read' };

/** A server with a certificate; its files may be replaced. */
async function serveOverTls(t: TestContext, settings: Readonly<Record<string, string>> = {}) {
  const directory = temporaryDirectory(t);
  const files = { cert: join(directory, 'tls.crt'), key: join(directory, 'tls.key') };
  const put = ({ cert, key }: TestCertificate): void => {
    // As tools do that must not leave half a file.
    for (const [file, content] of [
      [files.key, key],
      [files.cert, cert],
    ] as const) {
      writeFileSync(`${file}.new`, content);
      renameSync(`${file}.new`, file);
    }
  };
  const first = makeCertificate();
  put(first);
  const kafka = new EmbeddedKafka({ clock: systemClock });
  kafka.createTopic('acme.purchases', 3);
  const log = captureLog();
  const config = testConfig({
    MILLRACE_LISTEN_TLS_CERT_FILE: files.cert,
    MILLRACE_LISTEN_TLS_KEY_FILE: files.key,
    MILLRACE_HTTP_COMPRESSION: 'true',
    ...settings,
  });
  const server = await runServer(t, config, { driver: kafka.driver(), logger: log.logger });
  return { server, kafka, log, files, put, first, port: Number(new URL(server.url).port) };
}

async function ask(url: string, options: RequestOptions) {
  const asked = request(url, { agent: false, ...options });
  asked.end();
  const [response] = await once(asked, 'response');
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

/** What a handshake comes to: the certificate's fingerprint, or what went wrong. */
function shake(port: number, options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    socket.once('secureConnect', () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '');
      socket.destroy();
    });
    socket.once('error', ({ message }) => resolve(message));
  });
}

test('over TLS everything is served: GraphQL by wss and https, plain feeds by wss and SSE', async (t) => {
  const { server, kafka, first } = await serveOverTls(t);
  const { url } = server;
  assert.match(url, /^https:/);
  const ca = first.cert;
  const got: unknown[] = [];
  const take = (event: { id?: unknown } | undefined): void => void got.push(event?.id);

  const client = createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: class extends WebSocket {
      constructor(address: string, protocol: string) {
        super(address, protocol, { ca });
      }
    },
    connectionParams: reader,
    retryAttempts: 0,
  });
  t.after(() => client.dispose());
  client.subscribe<{ events: { id: string } }>(
    { query: 'subscription { events(topic: "purchases", order: ARRIVAL) { id } }' },
    { next: ({ data }) => take(data?.events), error: assert.fail, complete: () => undefined },
  );
  const socket = new WebSocket(
    `${url.replace('http', 'ws')}/feeds/purchases?order=ARRIVAL`,
    'millrace.v1',
    { ca, headers: { authorization: basic(reader) } },
  );
  t.after(() => socket.terminate());
  socket.on('message', (data: Buffer) => {
    const { type, event } = JSON.parse(data.toString());
    if (type === 'event') take(event);
  });
  const events = request(`${url}/feeds/purchases?order=ARRIVAL`, {
    ca,
    agent: false,
    headers: { authorization: basic(reader), accept: 'text/event-stream' },
  });
  t.after(() => events.destroy());
  events.end();
  const [response] = await once(events, 'response');
  response.setEncoding('utf8').on('data', (chunk: string) => {
    for (const [, id] of chunk.matchAll(/"event":\{"id":"(\w+)"/g)) got.push(id);
  });

  await feedIs(server, 'acme.purchases', { subscribers: 3 });
  kafka.append('acme.purchases', { value: '{"keen":{"id":"safe"}}' });
  await until('everyone to have it', () => got.length === 3);
  assert.deepEqual(got, ['safe', 'safe', 'safe']);
  const live = await ask(`${url}/health/live`, { ca });
  assert.equal(live.status, 200);
  assert.match(String(live.headers['strict-transport-security']), /^max-age=\d+/);
});

test('versions of TLS before 1.2 are refused', async (t) => {
  const { port, first } = await serveOverTls(t);
  const old = {
    ciphers: 'DEFAULT@SECLEVEL=0',
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.1',
  } as const;
  assert.match(await shake(port, old), /alert protocol version/);
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const only = { minVersion: version, maxVersion: version };
    assert.equal(await shake(port, only), first.fingerprint);
  }
});

test('a new certificate is served with from then on, and open connections stay', async (t) => {
  const { port, server, first, put, files, log } = await serveOverTls(t);
  const socket = new WebSocket(
    `${server.url.replace('http', 'ws')}/feeds/purchases`,
    'millrace.v1',
    {
      ca: first.cert,
      headers: { authorization: basic(reader) },
    },
  );
  t.after(() => socket.terminate());
  await once(socket, 'message');
  const second = makeCertificate();
  put(second);
  await until('the new one', async () => (await shake(port, {})) === second.fingerprint);

  // A key that is not its own: what was served with is kept.
  writeFileSync(files.key, makeCertificate().key);
  await log.logged('the new one cannot be used');
  assert.equal(await shake(port, {}), second.fingerprint);
  const third = makeCertificate();
  put(third);
  await until('the one after it', async () => (await shake(port, {})) === third.fingerprint);
  assert.equal(socket.readyState, WebSocket.OPEN);
});

test('connections beyond the limit are told so over TLS as well', async (t) => {
  const { server, first } = await serveOverTls(t, { MILLRACE_LIMITS_CONNECTIONS: '1' });
  const ca = first.cert;
  const socket = new WebSocket(
    `${server.url.replace('http', 'ws')}/feeds/purchases`,
    'millrace.v1',
    { ca, headers: { authorization: basic(reader) } },
  );
  t.after(() => socket.terminate());
  await once(socket, 'message');
  const refused = await ask(`${server.url}/graphql?query={project{id}}`, { ca });
  assert.equal(refused.status, 503);
  assert.match(refused.body, /limits\.connections/);
  assert.equal((await ask(`${server.url}/health/live`, { ca })).status, 200);
});

test('who opens a connection and never shakes hands is cut off after limits.headersTimeout', async (t) => {
  const { port } = await serveOverTls(t, { MILLRACE_LIMITS_HEADERS_TIMEOUT: '100ms' });
  for (const beginning of ['', 'GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01']) {
    const stream = openTcp(port, '127.0.0.1');
    t.after(() => stream.destroy());
    stream.on('error', () => undefined);
    stream.resume().write(beginning, 'latin1');
    // Not `once`: a reset, which is an error, will do as well.
    await new Promise((resolve) => {
      stream.once('close', resolve);
    });
  }
});

test('a server that closes does not wait for who has yet to shake hands', async (t) => {
  const { server, port } = await serveOverTls(t, { MILLRACE_LIMITS_HEADERS_TIMEOUT: '5m' });
  const stream = openTcp(port, '127.0.0.1');
  t.after(() => stream.destroy());
  stream.on('error', () => undefined);
  const cut = new Promise((resolve) => {
    stream.once('close', resolve);
  });
  stream.resume();
  await once(stream, 'connect');
  await server.close();
  await cut;
});
