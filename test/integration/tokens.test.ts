import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { systemClock } from '../../src/core/clock.ts';
import { EmbeddedKafka } from '../../src/kafka/embedded/embedded-kafka.ts';
import { captureLog } from '../support/captured-log.ts';
import { configFile } from '../support/config-file.ts';
import { basic, describe, query, subscribers, webSocketClient } from '../support/graphql-client.ts';
import { loadConfig } from '../../src/config/load.ts';
import { HeldClock } from '../support/held-clock.ts';
import { metricsOf } from '../support/metrics.ts';
import { feedIs, runEmbedded, runServer, testConfig, testProjects } from '../support/server.ts';
import { makeToken, postTokens } from '../support/tokens.ts';

const login = { projectId: 'acme', key: 'acme-read' };
const events = 'subscription { events(topic: "purchases", order: ARRIVAL) { id } }';
const topics = ['acme.purchases', 'acme.signups'];

interface Refusal {
  readonly code: unknown;
  readonly message: string;
  readonly argument: unknown;
}

async function refusalOf(response: Response): Promise<Refusal> {
  const { errors } = JSON.parse(await response.text());
  const [{ message, extensions }] = errors;
  return { code: extensions.code, message, argument: extensions.argument };
}

async function refused(response: Promise<Response>): Promise<readonly [number, Refusal]> {
  const answer = await response;
  return [answer.status, await refusalOf(answer)];
}

test('POST /tokens answers 201 with a token and its end, and nothing keeps it', async (t) => {
  const { server } = await runEmbedded(t, { topics });
  const beforeMs = Date.now();
  const response = await postTokens(server.url, login, {
    topics: ['purchases'],
    filter: [{ property: 'user.id', operator: 'EQ', value: 7 }],
    expiresIn: '10m',
    singleUse: false,
  });
  assert.equal(response.status, 201);
  assert.equal(response.headers.get('cache-control'), 'no-store');
  const answer = JSON.parse(await response.text());
  assert.deepEqual(Object.keys(answer), ['token', 'expiresAt']);
  // In whole seconds, rounded up.
  const madeAtMs = Date.parse(answer.expiresAt) - 600_000;
  assert.ok(madeAtMs >= beforeMs && madeAtMs < Date.now() + 1_000, answer.expiresAt);
  for (const body of ['', '{}'])
    assert.equal((await postTokens(server.url, login, body)).status, 201);
});

test('who asks for a token has logged in, and who guesses keys there is counted', async (t) => {
  const { server } = await runEmbedded(t, { topics });
  await postTokens(server.url, login, {});
  await postTokens(server.url, { ...login, key: 'wrong' }, {});
  await postTokens(server.url, { ...login, key: 'acme-write' }, {});
  const series = await metricsOf(server.url);
  assert.equal(series.get('millrace_logins_total{result="ok"}'), 1);
  assert.equal(series.get('millrace_logins_total{result="refused"}'), 2);
});

test('POST /tokens refuses with the reason', async (t) => {
  const { server } = await runEmbedded(t, {
    topics,
    settings: { MILLRACE_LIMITS_INBOUND_FRAME_BYTES: '2000' },
  });
  const { url } = server;
  const { token } = await makeToken(url, login);
  const narrow = { projectId: 'acme', key: 'acme-narrow' };
  assert.deepEqual(await refused(postTokens(url, narrow, { topics: ['purchases'] })), [
    403,
    { code: 'FORBIDDEN', message: 'this key may not read topic purchases', argument: undefined },
  ]);
  const [status, { code, argument }] = await refused(postTokens(url, login, { expiresIn: 5 }));
  assert.deepEqual([status, code, argument], [400, 'BAD_USER_INPUT', 'expiresIn']);
  const rest: readonly (readonly [Promise<Response>, number, string, RegExp])[] = [
    [postTokens(url, { ...login, key: 'wrong' }, {}), 401, 'UNAUTHENTICATED', /unknown project/],
    [postTokens(url, { ...login, key: 'acme-write' }, {}), 403, 'FORBIDDEN', /write keys/],
    [postTokens(url, login, '{'), 400, 'BAD_USER_INPUT', /no JSON/],
    [
      postTokens(url, login, `"${'x'.repeat(3_000)}"`),
      429,
      'LIMIT_EXCEEDED',
      /more than 2000 bytes/,
    ],
    [postTokens(url, login, {}, { authorization: '' }), 401, 'UNAUTHENTICATED', /send/],
    [
      postTokens(url, login, {}, { authorization: `Bearer ${token}` }),
      403,
      'FORBIDDEN',
      /a token cannot make tokens/,
    ],
    [
      postTokens(url, login, {}, { 'content-type': 'text/plain' }),
      415,
      'BAD_USER_INPUT',
      /application\/json/,
    ],
    [
      postTokens(url, login, {}, { origin: 'https://evil.example' }),
      403,
      'FORBIDDEN',
      /http\.allowedOrigins/,
    ],
    [fetch(`${url}/tokens`), 405, 'BAD_USER_INPUT', /POST/],
  ];
  for (const [response, status, code, message] of rest) {
    const [answered, refusal] = await refused(response);
    assert.deepEqual([answered, refusal.code], [status, code], refusal.message);
    assert.match(refusal.message, message);
  }
});

for (const [transport, subscribe] of Object.entries(subscribers)) {
  test(`${transport}: a token lets in, says what it is good for, and ends what it opened`, async (t) => {
    const clock = new HeldClock();
    const { server, kafka } = await runEmbedded(t, { topics, clock });
    const { token, received } = await clock.during(async () => {
      const { token } = await makeToken(server.url, login, {
        topics: ['purchases'],
        expiresIn: '1s',
      });
      const received = subscribe(t, { url: server.url, login: { token }, query: events });
      await feedIs(server, 'acme.purchases');
      kafka.append('acme.purchases', { value: '{"keen":{"id":"a"}}' });
      await received.atLeast(1);
      const whatItIs = await query(server.url, { token }, '{ project { id key { kind topics } } }');
      assert.deepEqual(whatItIs.body.data, {
        project: { id: 'acme', key: { kind: 'READ', topics: ['purchases'] } },
      });
      return { token, received };
    });
    const ended = JSON.stringify([describe(await received.ended), received.results]);
    assert.match(ended, /this token has expired/);
    assert.match(ended, transport === 'graphql-ws' ? /4403|UNAUTHENTICATED/ : /UNAUTHENTICATED/);
    const after = await query(server.url, { token }, '{ project { id } }');
    assert.equal(after.status, 401);
  });

  test(`${transport}: a token ends with its key`, async (t) => {
    const { server } = await runEmbedded(t, { topics });
    const { token } = await makeToken(server.url, login);
    const received = subscribe(t, { url: server.url, login: { token }, query: events });
    await feedIs(server, 'acme.purchases');
    server.updateProjects(
      testConfig().auth.projects.map(({ id, keys }) => ({
        id,
        keys: keys.filter(({ name }) => name !== 'read'),
      })),
    );
    const ended = JSON.stringify([describe(await received.ended), received.results]);
    assert.match(ended, /this key has been revoked/);
    assert.equal((await query(server.url, { token }, '{ project { id } }')).status, 401);
  });
}

test('a socket is closed with 4403 when its token expires, with nothing subscribed', async (t) => {
  const { server } = await runEmbedded(t, { topics });
  const { token } = await makeToken(server.url, login, { expiresIn: '1s' });
  const socket = open(t, server.url);
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'connection_init', payload: { token } }));
  const [code, reason] = await once(socket, 'close');
  assert.deepEqual([code, String(reason)], [4403, 'this token has expired']);
});

function open(t: TestContext, url: string, search = ''): WebSocket {
  const socket = new WebSocket(
    `${url.replace('http', 'ws')}/graphql${search}`,
    'graphql-transport-ws',
  );
  t.after(() => socket.terminate());
  return socket;
}

/** What a socket answers to a `connection_init`: `connection_ack`, or the code that it closes with. */
async function initOf(t: TestContext, url: string, search: string, payload?: object) {
  const socket = open(t, url, search);
  await once(socket, 'open');
  const { promise, resolve } = Promise.withResolvers<unknown>();
  socket.on('message', (data: Buffer) => resolve(JSON.parse(data.toString()).type));
  socket.on('close', (code, reason) => resolve([code, String(reason)]));
  socket.send(JSON.stringify({ type: 'connection_init', ...(payload ? { payload } : {}) }));
  return promise;
}

test('a single-use token opens one WebSocket by its URL, or one stream, or answers one query', async (t) => {
  const { server } = await runEmbedded(t, { topics });
  const { url } = server;
  const used = 'this token was for a single use and has been used';
  const once = async () => (await makeToken(url, login, { singleUse: true })).token;

  const socketToken = await once();
  assert.equal(await initOf(t, url, `?token=${socketToken}`), 'connection_ack');
  assert.deepEqual(await initOf(t, url, `?token=${socketToken}`), [4403, used]);
  assert.deepEqual(await initOf(t, url, '', { token: socketToken }), [4403, used]);

  const streamToken = await once();
  const stream = `${url}/graphql?query=${encodeURIComponent(events)}&token=${streamToken}`;
  const ending = new AbortController();
  t.after(() => ending.abort());
  const options = { headers: { accept: 'text/event-stream' }, signal: ending.signal };
  const opened = await fetch(stream, options);
  assert.equal(opened.status, 200);
  assert.match(opened.headers.get('content-type') ?? '', /event-stream/);
  const again = await fetch(stream, options);
  assert.equal(again.status, 401);
  assert.equal((await refusalOf(again)).message, used);

  const queryToken = await once();
  const answer = `${url}/graphql?query=${encodeURIComponent('{ project { id } }')}&token=${queryToken}`;
  assert.equal((await fetch(answer)).status, 200);
  assert.equal((await fetch(answer)).status, 401);
});

test('a single-use token in its URL opens a plain feed, once', async (t) => {
  const { server } = await runEmbedded(t, { topics });
  const { url } = server;
  const address = async () =>
    `${url}/feeds/purchases?order=ARRIVAL&token=${(await makeToken(url, login, { singleUse: true })).token}`;

  const socketAddress = await address();
  const firstMessage = async () => {
    const socket = new WebSocket(socketAddress.replace('http', 'ws'), 'millrace.v1');
    t.after(() => socket.terminate());
    const [data] = await once(socket, 'message');
    return JSON.parse(String(data));
  };
  assert.equal(Object(await firstMessage()).type, 'ready');
  assert.equal((await firstMessage()).code, 'UNAUTHENTICATED');

  const streamAddress = await address();
  const ending = new AbortController();
  t.after(() => ending.abort());
  const { signal } = ending;
  assert.equal((await fetch(streamAddress, { signal })).status, 200);
  const again = await fetch(streamAddress, { signal });
  assert.equal(again.status, 401);

  const both = await fetch(await address(), { headers: { authorization: basic(login) } });
  assert.match((await refusalOf(both)).message, /in the URL and in the Authorization header/);
  const { token } = await makeToken(url, login);
  const other = await fetch(`${url}/feeds/purchases/dead-letters?token=${token}`);
  assert.equal(other.status, 403);
});

test('any other token is refused in a URL, and so are two kinds of credentials at once', async (t) => {
  const { server } = await runEmbedded(t, { topics });
  const { url } = server;
  const { token } = await makeToken(url, login);
  const answer = await fetch(`${url}/graphql?query=%7Bproject%7Bid%7D%7D&token=${token}`);
  assert.equal(answer.status, 403);
  assert.match((await refusalOf(answer)).message, /only a single-use token may stand in a URL/);
  const closed = Object(await initOf(t, url, `?token=${token}`));
  assert.equal(closed[0], 4403);
  assert.match(closed[1], /only a single-use token/);
  const both = Object(await initOf(t, url, `?token=${token}`, { token }));
  assert.match(both[1], /in the URL and in the first message/);
});

test('no token is logged, wherever it stands', async (t) => {
  const log = captureLog();
  const kafka = new EmbeddedKafka({ clock: systemClock });
  for (const topic of topics) kafka.createTopic(topic, 1);
  const server = await runServer(t, testConfig({ MILLRACE_LOG_LEVEL: 'trace' }), {
    driver: kafka.driver(),
    logger: log.logger,
  });
  const { url } = server;
  const { token } = await makeToken(url, login);
  const { token: single } = await makeToken(url, login, { singleUse: true });
  await query(url, { token }, '{ topics { name } }');
  await fetch(`${url}/graphql?query=%7Bproject%7Bid%7D%7D&token=${token}`);
  await fetch(`${url}/graphql?query=broken(&token=${single}`);
  await fetch(`${url}/nowhere?token=${token}`);
  await initOf(t, url, `?token=${single}`);
  await initOf(t, url, `?token=${token}x`);
  const socket = open(t, url, `?token=${token}`);
  await once(socket, 'open');
  socket.send(Buffer.alloc(100_000));
  await once(socket, 'close');
  await log.logged('a client broke the protocol');
  const text = JSON.stringify(log.lines);
  for (const secret of [token, single, login.key]) {
    assert.equal(text.includes(secret), false);
    assert.equal(text.includes(secret.slice(-40)), false);
  }
});

test('where the cluster decides, a token logs in as the key that made it, and ends with it', async (t) => {
  const kafka = new EmbeddedKafka({
    clock: systemClock,
    users: [{ username: 'acme', password: 'acme-key' }],
  });
  kafka.createTopic('purchases', 1);
  const settings = {
    MILLRACE_KAFKA_CREDENTIALS: 'client',
    MILLRACE_AUTH_PROJECTS: '',
    MILLRACE_KAFKA_TOPIC_TEMPLATE: '{topic}',
    MILLRACE_KAFKA_LOGIN_PROBE_INTERVAL: '100ms',
    MILLRACE_TOKENS_SECRET: 'the same secret on both instances',
  };
  const start = () => runServer(t, testConfig(settings), { driver: kafka.driver() });
  const [one, other] = [await start(), await start()];
  const key = { projectId: 'acme', key: 'acme-key' };
  assert.equal((await postTokens(one.url, { ...key, key: 'wrong' }, {})).status, 401);
  const { token } = await makeToken(one.url, key);
  const received = subscribers['graphql-ws'](t, {
    url: other.url,
    login: { token },
    query: events,
  });
  await feedIs(other, 'purchases');
  kafka.append('purchases', { value: '{"keen":{"id":"a"}}' });
  assert.deepEqual((await received.atLeast(1))[0]?.data, { events: { id: 'a' } });
  kafka.setUsers([]);
  assert.match(describe(await received.ended), /this key has been revoked/);
});

test('without a secret a token is good at the instance that made it', async (t) => {
  const kafka = new EmbeddedKafka({ clock: systemClock });
  const start = () => runServer(t, testConfig(), { driver: kafka.driver() });
  const [one, other] = [await start(), await start()];
  const { token } = await makeToken(one.url, login);
  assert.equal((await query(one.url, { token }, '{ project { id } }')).status, 200);
  assert.equal((await query(other.url, { token }, '{ project { id } }')).status, 401);
});

test('a token that the users’ own backend signed is accepted where it is trusted', async (t) => {
  const secret = 'what the backend signs its tokens with';
  const { config, problems } = loadConfig({
    file: configFile(t, 'tokens: { trusted: [{ project: acme, secretFile: secret }] }', { secret }),
    env: {
      MILLRACE_LISTEN_PORT: '0',
      MILLRACE_KAFKA_CLIENT: 'embedded',
      MILLRACE_KAFKA_CREDENTIALS: 'service',
      MILLRACE_KAFKA_TOPIC_TEMPLATE: '{projectId}.{topic}',
      MILLRACE_AUTH_PROJECTS: JSON.stringify(testProjects),
    },
  });
  assert.ok(config, JSON.stringify(problems));
  const server = await runServer(t, config);
  const signed = `${encode({ alg: 'HS256' })}.${encode({ topics: ['signups'], exp: Math.floor(Date.now() / 1_000) + 60 })}`;
  const signature = createHmac('sha256', secret).update(signed).digest('base64url');
  const client = webSocketClient(t, server.url, { token: `${signed}.${signature}` });
  const results = client.iterate({ query: '{ project { id key { name topics } } }' });
  const { value } = await results.next();
  assert.deepEqual(JSON.parse(JSON.stringify(value)).data, {
    project: { id: 'acme', key: { name: null, topics: ['signups'] } },
  });
});

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
