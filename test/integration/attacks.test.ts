import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { type ClientOptions, WebSocket } from 'ws';
import type { RunningServer } from '../../src/server.ts';
import { authorizationOf, basic, type GraphqlResult, query } from '../support/graphql-client.ts';
import { feedIs, runEmbedded } from '../support/server.ts';

/*
 * What somebody may try who means no good, as SECURITY.md lists it: each over every way in, against a whole
 * server. What concerns the rights of a key or a token is in leaks.test.ts, and secrets in secrets.test.ts.
 */

const reader = { projectId: 'acme', key: 'acme-read' };
const authorization = basic(reader);
const topics = ['acme.purchases', 'globex.secret'];
const allowed = 'https://app.example.com';
const foreign = [
  'https://evil.example',
  'null',
  `${allowed}.evil.example`,
  `${allowed}:8443`,
  'http://app.example.com',
  'https://evilapp.example.com',
  'https://APP.example.com',
];
const subscription = 'subscription { events(topic: "purchases", order: ARRIVAL) { id } }';
/** Both WebSocket protocols, with the path that each is spoken on. */
const protocols = [
  ['/graphql', 'graphql-transport-ws'],
  ['/feeds/purchases', 'millrace.v1'],
] as const;

async function serve(t: TestContext, settings: Readonly<Record<string, string>> = {}) {
  const { server, kafka } = await runEmbedded(t, { topics, settings });
  return { server, kafka, url: server.url };
}

interface AskOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Not by `fetch`, which leaves out headers that only browsers may set. */
async function ask(url: string, options: AskOptions, body?: string): Promise<Answer> {
  const asked = request(url, { agent: false, ...options });
  asked.end(body);
  const [response] = await once(asked, 'response');
  const answer = { status: response.statusCode, headers: response.headers };
  return { ...answer, body: await text(response) };
}

/** A WebSocket, or with what its handshake was refused. */
function open(
  t: TestContext,
  url: string,
  [path, protocol]: (typeof protocols)[number],
  options: ClientOptions = {},
): Promise<WebSocket | string> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`, protocol, options);
  t.after(() => socket.terminate());
  return new Promise((resolve) => {
    socket.once('open', () => resolve(socket));
    socket.once('error', ({ message }) => resolve(message));
  });
}

async function opened(...args: Parameters<typeof open>): Promise<WebSocket> {
  const socket = await open(...args);
  assert.ok(socket instanceof WebSocket, 'its handshake was refused');
  return socket;
}

function codeOf(body: string): unknown {
  const [error] = Object(JSON.parse(body)).errors;
  return error.extensions.code;
}

test('a page of another site opens no socket and reads no answer, on any path', async (t) => {
  const { url } = await serve(t, { MILLRACE_HTTP_ALLOWED_ORIGINS: allowed });
  const ways: readonly (readonly [path: string, options: AskOptions])[] = [
    ['/graphql?query={__typename}', {}],
    ['/graphql', { method: 'POST', headers: { 'content-type': 'application/json' } }],
    ['/graphql', { method: 'OPTIONS' }],
    ['/graphql', { headers: { accept: 'text/html' } }],
    ['/feeds/purchases', { headers: { accept: 'text/event-stream' } }],
    ['/feeds/purchases/dead-letters', { headers: { accept: 'text/event-stream' } }],
    ['/tokens', { method: 'POST', headers: { 'content-type': 'application/json' } }],
    ['/health/ready', {}],
  ];
  for (const origin of foreign) {
    for (const [path, options] of ways) {
      const headers = { authorization, ...options.headers, origin };
      const body = options.method === 'POST' ? '{}' : undefined;
      const answer = await ask(`${url}${path}`, { ...options, headers }, body);
      assert.equal(answer.status, 403, `${origin} ${path}`);
      assert.equal(codeOf(answer.body), 'FORBIDDEN');
      assert.equal(answer.headers['access-control-allow-origin'], undefined);
      assert.equal(answer.headers['access-control-allow-credentials'], undefined);
    }
    for (const protocol of protocols) {
      const refused = await open(t, url, protocol, { origin });
      assert.ok(typeof refused === 'string' && refused.includes('403'), origin);
    }
  }
  // Command-line clients have none; listed pages and the server's own have theirs.
  for (const protocol of protocols) {
    for (const options of [{}, { origin: allowed }, { origin: url }]) {
      await opened(t, url, protocol, options);
    }
  }
});

test('an allowed origin gets its own name back, never with credentials, and caches are told', async (t) => {
  const { url } = await serve(t, { MILLRACE_HTTP_ALLOWED_ORIGINS: allowed });
  const asked = [
    { method: 'OPTIONS', headers: { origin: allowed } },
    { headers: { origin: allowed, authorization } },
  ];
  for (const options of asked) {
    const { headers } = await ask(`${url}/graphql?query={project{id}}`, options);
    assert.equal(headers['access-control-allow-origin'], allowed);
    assert.equal(headers['access-control-allow-credentials'], undefined);
    assert.equal(headers['vary'], 'origin');
  }
  const { headers } = await ask(`${url}/graphql?query={project{id}}`, {
    headers: { authorization },
  });
  assert.equal(headers['access-control-allow-origin'], undefined);
  assert.equal(headers['vary'], 'origin');
});

test('an answer cannot be embedded by a page of another site', async (t) => {
  const { url } = await serve(t);
  const embedding = [
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' },
    { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
  ];
  for (const headers of embedding) {
    for (const path of ['/graphql?query={project{id}}', '/feeds/purchases', '/health/ready']) {
      const answer = await ask(`${url}${path}`, { headers: { ...headers, authorization } });
      assert.equal(answer.status, 403, path);
    }
  }
  const link = {
    'sec-fetch-site': 'cross-site',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
  };
  const page = await ask(`${url}/graphql`, { headers: { ...link, accept: 'text/html' } });
  assert.equal(page.status, 200);
  assert.match(String(page.headers['content-security-policy']), /frame-ancestors 'none'/);
});

test('what a form of another site can send is taken by no path', async (t) => {
  const { url } = await serve(t);
  const body = JSON.stringify({ query: '{ project { id } }' });
  const simple = [
    ['text/plain', body],
    ['application/x-www-form-urlencoded', 'query={project{id}}'],
    [
      'multipart/form-data; boundary=x',
      '--x\r\ncontent-disposition: form-data; name="operations"\r\n\r\n' + body + '\r\n--x--\r\n',
    ],
    ['application/graphql', '{ project { id } }'],
    ['application/jsonx', body],
    [undefined, body],
  ] as const;
  for (const path of ['/graphql', '/tokens']) {
    for (const [type, content] of simple) {
      const headers = { authorization, ...(type === undefined ? {} : { 'content-type': type }) };
      const answer = await ask(`${url}${path}`, { method: 'POST', headers }, content);
      assert.equal(answer.status, 415, `${path} ${type}`);
      assert.equal(codeOf(answer.body), 'BAD_USER_INPUT');
    }
  }
  const json = { authorization, 'content-type': 'application/json; charset=utf-8' };
  const taken = await ask(`${url}/graphql`, { method: 'POST', headers: json }, body);
  assert.equal(taken.body, '{"data":{"project":{"id":"acme"}}}');
});

test('a link of another site changes nothing: GET makes no tokens and no mutations', async (t) => {
  const { url } = await serve(t);
  const tokens = await ask(`${url}/tokens`, { headers: { authorization } });
  assert.equal(tokens.status, 405);
  const mutation = await ask(`${url}/graphql?query=mutation{a}`, { headers: { authorization } });
  assert.ok(mutation.status >= 400, String(mutation.status));
  assert.equal(Object(JSON.parse(mutation.body)).data, undefined);
});

test('several operations in one request are refused', async (t) => {
  const { url } = await serve(t);
  const headers = { authorization, 'content-type': 'application/json' };
  const batch = JSON.stringify(Array.from({ length: 50 }, () => ({ query: '{ project { id } }' })));
  const answer = await ask(`${url}/graphql`, { method: 'POST', headers }, batch);
  assert.equal(answer.status, 400);
});

test('a compression bomb is closed with 1009, and nobody else notices', async (t) => {
  const { server, kafka, url } = await serve(t, { MILLRACE_HTTP_COMPRESSION: 'true' });
  const other = await opened(t, url, protocols[1], { headers: { authorization } });
  await feedIs(server, 'acme.purchases');
  const bomb = Buffer.alloc(64 * 2 ** 20);
  for (const protocol of protocols) {
    const socket = await opened(t, url, protocol, { perMessageDeflate: { threshold: 0 } });
    assert.match(socket.extensions, /permessage-deflate/);
    socket.send(bomb);
    const [code] = await once(socket, 'close');
    assert.equal(code, 1009);
  }
  const event = once(other, 'message');
  kafka.append('acme.purchases', { value: '{}' });
  await event;
});

test('a huge frame is closed with 1009 before it has come', async (t) => {
  const { url } = await serve(t);
  for (const [path, protocol] of protocols) {
    const stream = connect(Number(new URL(url).port), '127.0.0.1');
    t.after(() => stream.destroy());
    stream.write(
      `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
        'sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n' +
        `sec-websocket-protocol: ${protocol}\r\n\r\n`,
    );
    await once(stream, 'readable');
    assert.match(String(stream.read()), /^HTTP\/1\.1 101 /);
    // A text frame of 1 TiB, of which nothing follows.
    stream.write(Buffer.from([0x81, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 1, 2, 3, 4]));
    await once(stream, 'readable');
    const frame: Buffer = stream.read();
    assert.equal(frame[0], 0x88, 'a close frame');
    assert.equal(frame.readUInt16BE(2), 1009);
  }
});

test('who asks and asks and takes no answers is not read any more, and closed', async (t) => {
  const { url } = await serve(t, {
    MILLRACE_LIMITS_OUTBOUND_BYTES_PER_CONNECTION: '64KiB',
    MILLRACE_LIMITS_STALL_TIMEOUT: '1s',
  });
  const socket = await opened(t, url, protocols[0]);
  const acknowledged = once(socket, 'message');
  socket.send(JSON.stringify({ type: 'connection_init', payload: reader }));
  await acknowledged;
  socket.pause();
  // Each is answered with a pong that is as long.
  const ping = JSON.stringify({ type: 'ping', payload: { x: 'x'.repeat(32_000) } });
  let pings = 0;
  const hungUp = Promise.withResolvers<void>();
  const goOn = (error?: Error | null): void => {
    if (error instanceof Error) return hungUp.resolve();
    pings += 1;
    // What systems keep by themselves between the two is less.
    if (pings > 2_000) return hungUp.reject(new Error('all was read'));
    socket.send(ping, goOn);
  };
  goOn();
  await hungUp.promise;
});

test('a message in many fragments is held to the size of one', async (t) => {
  const { url } = await serve(t);
  for (const protocol of protocols) {
    const socket = await opened(t, url, protocol);
    const closed = once(socket, 'close');
    for (let sent = 0; sent < 70; sent += 1) socket.send('x'.repeat(1_024), { fin: false });
    const [code] = await closed;
    assert.equal(code, 1009);
  }
});

test('who says nothing after the handshake is closed with 4408', async (t) => {
  const { url } = await serve(t, { MILLRACE_LIMITS_INIT_TIMEOUT: '100ms' });
  for (const protocol of protocols) {
    const [code] = await once(await opened(t, url, protocol), 'close');
    assert.equal(code, 4408);
  }
});

test('time that the cluster takes to let a client in counts, too', async (t) => {
  const { url, kafka } = await serve(t, {
    MILLRACE_LIMITS_INIT_TIMEOUT: '100ms',
    MILLRACE_KAFKA_CREDENTIALS: 'client',
    MILLRACE_AUTH_PROJECTS: '[]',
  });
  kafka.setAvailable(false);
  const first = {
    'graphql-transport-ws': { type: 'connection_init', payload: reader },
    'millrace.v1': { type: 'auth', ...reader },
  };
  for (const protocol of protocols) {
    const socket = await opened(t, url, protocol);
    const closed = once(socket, 'close');
    socket.send(JSON.stringify(first[protocol[1]]));
    const [code] = await closed;
    // With an answer of the cluster that it cannot be reached, or without any.
    assert.ok(code === 4408 || code === 1013, String(code));
  }
});

test('a request whose head or body comes too slowly is cut off', async (t) => {
  const { url } = await serve(t, {
    MILLRACE_LIMITS_HEADERS_TIMEOUT: '100ms',
    MILLRACE_LIMITS_REQUEST_TIMEOUT: '200ms',
  });
  const head = `POST /tokens HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n`;
  const beginnings = [
    '',
    'GET /graphql HTTP/1.1\r\nhost: x\r\n',
    `${head}content-type: application/json\r\ncontent-length: 100\r\n\r\n{`,
  ];
  for (const beginning of beginnings) {
    const stream = connect(Number(new URL(url).port), '127.0.0.1');
    t.after(() => stream.destroy());
    stream.on('error', () => undefined);
    if (beginning !== '') stream.write(beginning);
    const trickle = setInterval(() => beginning !== '' && stream.write(' '), 20);
    t.after(() => clearInterval(trickle));
    stream.resume();
    // Not `once`: a reset, which is an error, will do as well.
    await new Promise((resolve) => {
      stream.once('close', resolve);
    });
    clearInterval(trickle);
  }
});

test('one socket has as many subscriptions as the limit says, and no more', async (t) => {
  const { url } = await serve(t, { MILLRACE_LIMITS_SUBSCRIPTIONS_PER_CONNECTION: '20' });
  const socket = await opened(t, url, protocols[0]);
  const errors = new Map<string, unknown>();
  const answered = Promise.withResolvers<void>();
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString());
    if (message.type === 'connection_ack') {
      for (let id = 0; id < 1_000; id += 1) {
        const payload = { query: subscription };
        socket.send(JSON.stringify({ id: String(id), type: 'subscribe', payload }));
      }
    }
    if (message.type === 'error') errors.set(message.id, message.payload[0].extensions);
    if (errors.size === 980) answered.resolve();
  });
  socket.send(JSON.stringify({ type: 'connection_init', payload: reader }));
  await answered.promise;
  const limit = 'limits.subscriptionsPerConnection';
  for (const extensions of errors.values()) {
    assert.deepEqual(extensions, { code: 'LIMIT_EXCEEDED', limit });
  }
});

/** Documents that are over a limit each, by its name. */
const excessive = {
  queryDepth: `{ ${'topics { deadLetters { '.repeat(20)}name${' } }'.repeat(20)} }`,
  queryAliases: `{ ${Array.from({ length: 30 }, (_, index) => `a${index}: project { id }`).join(' ')} }`,
  queryDirectives: `{ project { id ${'@include(if: true) '.repeat(60)}} }`,
  queryTokens: `{ ${'project { id } '.repeat(300)} }`,
  queryCharacters: `{ project { id } } #${'x'.repeat(15_000)}`,
} as const;

/** Ways to send a document; each answers the first error's extensions. */
const senders: Readonly<
  Record<string, (t: TestContext, server: RunningServer, document: string) => Promise<unknown>>
> = {
  async POST(_t, { url }, document) {
    const { body } = await query(url, reader, document);
    return body.errors?.[0]?.extensions;
  },
  async GET(_t, { url }, document) {
    const address = `${url}/graphql?${new URLSearchParams({ query: document })}`;
    return extensionsIn((await ask(address, { headers: { authorization } })).body);
  },
  async SSE(_t, { url }, document) {
    const headers = {
      authorization,
      accept: 'text/event-stream',
      'content-type': 'application/json',
    };
    const body = JSON.stringify({ query: document });
    const answer = await ask(`${url}/graphql`, { method: 'POST', headers }, body);
    const [, data = answer.body] = /^event: next\ndata: (.*)$/m.exec(answer.body) ?? [];
    return extensionsIn(data);
  },
  async WebSocket(t, { url }, document) {
    const socket = await opened(t, url, protocols[0]);
    const refused = Promise.withResolvers<unknown>();
    socket.on('message', (data: Buffer) => {
      const { type, payload } = JSON.parse(data.toString());
      if (type === 'connection_ack') {
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: document } }));
      } else refused.resolve(payload[0]?.extensions);
    });
    socket.send(JSON.stringify({ type: 'connection_init', payload: reader }));
    return refused.promise;
  },
};

function extensionsIn(body: string): unknown {
  const { errors }: GraphqlResult = JSON.parse(body);
  return errors?.[0]?.extensions;
}

test('deep, wide, aliased and directive-laden documents are refused alike on every way in', async (t) => {
  const { server } = await serve(t);
  for (const [limit, document] of Object.entries(excessive)) {
    for (const [way, send] of Object.entries(senders)) {
      const extensions = Object(await send(t, server, document));
      assert.equal(extensions.code, 'LIMIT_EXCEEDED', `${limit} by ${way}`);
      assert.equal(extensions.limit, `limits.${limit}`, way);
    }
  }
});

test('a body that is too large is refused, whether it says so or not', async (t) => {
  const { url } = await serve(t);
  const body = JSON.stringify({
    query: '{ project { id } }',
    variables: { a: 'x'.repeat(70_000) },
  });
  for (const path of ['/graphql', '/tokens']) {
    for (const length of [{ 'content-length': String(Buffer.byteLength(body)) }, {}]) {
      const headers = { authorization, 'content-type': 'application/json', ...length };
      const answer = await ask(`${url}${path}`, { method: 'POST', headers }, body);
      assert.equal(codeOf(answer.body), 'LIMIT_EXCEEDED', path);
      assert.match(answer.body, /limits\.inboundFrameBytes/);
      assert.ok([413, 429].includes(answer.status), String(answer.status));
    }
  }
});

test('without introspection no name of the schema is read or suggested, on any way in', async (t) => {
  const { server, url } = await serve(t, { MILLRACE_GRAPHQL_INTROSPECTION: 'false' });
  for (const document of [
    '{ __schema { types { name } } }',
    '{ __type(name: "Event") { name } }',
  ]) {
    for (const send of Object.values(senders)) {
      assert.equal(Object(await send(t, server, document)).code, 'BAD_USER_INPUT');
    }
  }
  const guesses: readonly (readonly [document: string, variables: Record<string, unknown>])[] = [
    ['{ projct { id } }', {}],
    ['{ project { idd } }', {}],
    ['{ topic(nme: "a") { name } }', {}],
    ['subscription { events(topic: "purchases", order: ARIVAL) { id } }', {}],
    ['subscription ($order: EventOrdr) { events(topic: "a", order: $order) { id } }', {}],
    ['subscription ($o: EventOrder) { events(topic: "a", order: $o) { id } }', { o: 'ARIVAL' }],
    [
      'query ($w: [PropertyFilter!]) { recentEvents(topic: "a", where: $w) { id } }',
      { w: [{ propertyy: 'a' }] },
    ],
  ];
  for (const [document, variables] of guesses) {
    const { body } = await query(url, reader, document, variables);
    assert.ok(body.errors, document);
    assert.doesNotMatch(JSON.stringify(body.errors), /did you mean/i, document);
  }
});

test('topics of others and topics that are not there get the same answer', async (t) => {
  const { url } = await serve(t);
  const asks = [
    (topic: string) => `{ topic(name: "${topic}") { name partitions { id } } }`,
    (topic: string) => `{ recentEvents(topic: "${topic}") { id } }`,
    (topic: string) => `{ recentDeadLetters(topic: "${topic}") { event } }`,
    (topic: string) => `{ topic(name: "${topic}") { deadLetters { name } feed { state } } }`,
  ];
  for (const login of [reader, { projectId: 'acme', key: 'acme-master' }]) {
    for (const ofTopic of asks) {
      // By its own name, and as somebody would write who knows how Kafka's are put together.
      for (const guess of ['secret', 'globex.secret', '../globex.secret', 'acme.globex.secret']) {
        const [theirs, none] = [guess, guess.replaceAll('secret', 'absent')];
        const found = await query(url, login, ofTopic(theirs));
        const missing = await query(url, login, ofTopic(none));
        assert.deepEqual(
          JSON.parse(JSON.stringify(found).replaceAll('secret', 'absent')),
          missing,
          ofTopic(theirs),
        );
      }
    }
    const { body } = await query(url, login, '{ topics { name } }');
    assert.deepEqual(body.data, { topics: [{ name: 'purchases' }] });
  }
});

test('a wrong key, an unknown project and the key of another get the same answer', async (t) => {
  const { url } = await serve(t);
  const wrong = [
    { projectId: 'acme', key: 'guess' },
    { projectId: 'nobody', key: 'acme-read' },
    { projectId: 'globex', key: 'acme-read' },
    { projectId: 'acme', key: '__proto__' },
    { projectId: '__proto__', key: 'acme-read' },
  ];
  const answers = await Promise.all(
    wrong.map(async (login) => {
      const headers = { authorization: authorizationOf(login), accept: 'text/event-stream' };
      const socket = await opened(t, url, protocols[0]);
      socket.send(JSON.stringify({ type: 'connection_init', payload: login }));
      const [code, reason] = await once(socket, 'close');
      const { status, body } = await ask(`${url}/feeds/purchases`, { headers });
      return JSON.stringify([status, body, code, String(reason)]);
    }),
  );
  assert.deepEqual(new Set(answers).size, 1, answers.join('\n'));
});

test('every answer says what a browser must not do with it, and pages run their own scripts only', async (t) => {
  const { url } = await serve(t);
  for (const path of ['/health/live', '/nowhere', '/graphql?query={project{id}}', '/graphql']) {
    const { headers } = await ask(`${url}${path}`, { headers: { authorization } });
    assert.equal(headers['x-content-type-options'], 'nosniff', path);
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['x-frame-options'], 'DENY');
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
    assert.match(String(headers['content-security-policy']), /^default-src 'none'/);
    // Without TLS of its own the server cannot promise it.
    assert.equal(headers['strict-transport-security'], undefined);
  }
  const page = await ask(`${url}/graphql`, { headers: { accept: 'text/html' } });
  const policy = String(page.headers['content-security-policy']);
  assert.match(policy, /script-src 'sha256-[\w+/=]+';/);
  assert.doesNotMatch(policy, /script-src[^;]*unsafe/);
});
