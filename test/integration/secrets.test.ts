import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { systemClock } from '../../src/core/clock.ts';
import { EmbeddedKafka } from '../../src/kafka/embedded/embedded-kafka.ts';
import type { KafkaDriver } from '../../src/kafka/port.ts';
import type { RunningServer } from '../../src/server.ts';
import { captureLog, type CapturedLog } from '../support/captured-log.ts';
import { basic } from '../support/graphql-client.ts';
import { sharedCluster } from '../support/kafka.ts';
import { digestOf, runServer, testConfig } from '../support/server.ts';
import { makeToken } from '../support/tokens.ts';
import { until } from '../support/until.ts';
import { kafkaClients } from './acceptance/real-server.ts';

/*
 * Every path is gone with secrets of all kinds, right and wrong; then nothing that anybody can see may hold one
 * of them, in whatever form: the log at its finest, answers with their headers, messages, reasons of closes, metrics.
 */

const secrets = {
  key: 'canary-of-the-right-key',
  wrongKey: 'canary-of-a-wrong-key',
  revokedKey: 'canary-of-a-key-that-is-taken-away',
  kafkaPassword: 'canary-of-the-password-for-kafka',
  tokenSecret: 'canary-of-the-secret-of-tokens-32-characters',
  cursorSecret: 'canary-of-the-secret-of-cursors-32-characters',
  wrongToken: 'eyJhbGciOiJkaXIifQ..canary-of-a-token.canary.canary',
} as const;

/** What a fault of ours says; for the log, and nobody else. */
const fault = 'canary-of-a-fault-of-ours';

/** In how many ways a secret may be written. */
function formsOf(secret: string): string[] {
  const hash = createHash('sha256').update(secret);
  const base64 = [0, 1, 2].flatMap((shift) => {
    // Of a longer text that it is a part of: without the characters that others have a share in.
    const coded = Buffer.from(' '.repeat(shift) + secret).toString('base64');
    return [coded.slice(shift === 0 ? 0 : 4, -4)];
  });
  return [
    secret,
    encodeURIComponent(secret),
    Buffer.from(secret).toString('hex'),
    hash.digest('hex'),
    ...base64,
  ];
}

/** What anybody could see so far. */
class Seen {
  readonly #texts: string[] = [];

  add(...texts: readonly string[]): void {
    this.#texts.push(...texts);
  }

  assertWithout(secrets: Readonly<Record<string, string>>): void {
    const all = this.#texts.join('\n');
    for (const [name, secret] of Object.entries(secrets)) {
      for (const form of formsOf(secret)) {
        const at = all.indexOf(form);
        assert.ok(at < 0, `${name} in: ${all.slice(Math.max(0, at - 200), at + 200)}`);
      }
    }
  }

  has(text: string): boolean {
    return this.#texts.some((seen) => seen.includes(text));
  }

  get size(): number {
    return this.#texts.length;
  }
}

const projects = [
  {
    id: 'acme',
    keys: [
      { name: 'right', kind: 'read', sha256: digestOf(secrets.key) },
      { name: 'leaving', kind: 'read', sha256: digestOf(secrets.revokedKey) },
    ],
  },
];

const settings = {
  MILLRACE_AUTH_PROJECTS: JSON.stringify(projects),
  MILLRACE_KAFKA_SASL_MECHANISM: 'PLAIN',
  MILLRACE_KAFKA_SASL_USERNAME: 'bridge',
  MILLRACE_KAFKA_SASL_PASSWORD: secrets.kafkaPassword,
  MILLRACE_TOKENS_SECRET: secrets.tokenSecret,
  MILLRACE_CURSORS_SECRET: secrets.cursorSecret,
  MILLRACE_LOG_LEVEL: 'trace',
};

/** Everything of an answer; a stream of events is left after its first words. */
async function ask(
  seen: Seen,
  url: string,
  {
    method = 'GET',
    headers = {},
    body,
  }: { method?: string; headers?: Record<string, string>; body?: string },
): Promise<void> {
  const asked = request(url, { method, headers, agent: false });
  asked.end(body);
  const [response] = await once(asked, 'response');
  seen.add(JSON.stringify([response.statusCode, response.headers]));
  if (response.headers['content-type'] !== 'text/event-stream') {
    seen.add(await text(response));
    return;
  }
  const [first] = await once(response, 'data');
  seen.add(String(first));
  asked.destroy();
}

/** All that a WebSocket is told until it is closed, or until nothing more is due. */
async function talk(
  seen: Seen,
  address: string,
  protocol: string,
  {
    headers = {},
    messages = [],
  }: { headers?: Record<string, string>; messages?: readonly object[] },
): Promise<void> {
  const socket = new WebSocket(address.replace('http', 'ws'), protocol, { headers });
  socket.on('message', (data: Buffer) => seen.add(data.toString()));
  const closed = once(socket, 'close');
  await Promise.race([once(socket, 'open'), closed]);
  for (const message of messages) socket.send(JSON.stringify(message));
  // What it has been told before the pong, it was told about what was sent before the ping.
  socket.ping();
  await Promise.race([once(socket, 'pong'), closed]);
  socket.close();
  const [code, reason] = await closed;
  seen.add(`${code} ${String(reason)}`);
}

const documents = [
  '{ project { id key { name } } }',
  '{ topics { name } }',
  '{ recentEvents(topic: "purchases") { id } }',
];

/**
 * Each path, with each kind of credentials in each place where they can be.
 *
 * @returns the tokens that were made on the way, which are secrets as well
 */
async function goEverywhere({ url }: RunningServer, seen: Seen): Promise<Record<string, string>> {
  const login = { projectId: 'acme', key: secrets.key };
  const minted: Record<string, string> = {};
  const mint = async (singleUse: boolean): Promise<string> => {
    const { token } = await makeToken(url, login, { singleUse });
    minted[`token ${Object.keys(minted).length}`] = token;
    return token;
  };
  const token = await mint(false);
  const keys = [secrets.key, secrets.wrongKey].map((key) => ({ projectId: 'acme', key }));
  const shown = [...keys, { projectId: secrets.key, key: 'x' }];
  const headers = [
    ...shown.map((login) => basic(login)),
    `Bearer ${token}`,
    `Bearer ${secrets.wrongToken}`,
    `Bearer ${secrets.key}`,
    `Basic ${secrets.key}`,
    `Digest ${secrets.key}`,
  ].map((authorization): Record<string, string> => ({ authorization }));
  const fields = [
    ...shown,
    { token },
    { token: secrets.wrongToken },
    { projectId: 'acme', key: 7, token: secrets.key },
  ];
  const inUrl = async (): Promise<string[]> =>
    [await mint(true), token, secrets.wrongToken, secrets.key].map(
      (value) => `token=${encodeURIComponent(value)}`,
    );
  const paths = [
    '/graphql',
    '/feeds/purchases',
    '/feeds/purchases/dead-letters',
    '/tokens',
    '/health/live',
    '/health/ready',
    '/metrics',
    `/nowhere/${secrets.key}`,
  ];

  for (const path of paths) {
    for (const header of [{}, ...headers]) {
      await ask(seen, `${url}${path}`, {
        headers: { ...header, accept: 'text/event-stream, */*' },
      });
      if (path === '/tokens') continue;
      for (const query of documents) {
        const json = { ...header, 'content-type': 'application/json' };
        await ask(seen, `${url}${path}`, {
          method: 'POST',
          headers: json,
          body: JSON.stringify({ query }),
        });
      }
    }
    for (const query of await inUrl()) {
      await ask(seen, `${url}${path}?${query}`, { headers: { accept: 'text/event-stream, */*' } });
      await ask(seen, `${url}${path}?${query}&${query}`, { headers: { ...headers[0] } });
      await ask(seen, `${url}${path}?${query}`, { headers: { origin: 'https://evil.example' } });
    }
  }
  // Those that would answer with a token are refused for something else.
  for (const header of headers) {
    const json = { ...header, 'content-type': 'application/json' };
    await ask(seen, `${url}/tokens`, { method: 'POST', headers: json, body: '{"topics":7}' });
  }

  for (const [path, protocol] of [
    ['/graphql', 'graphql-transport-ws'],
    ['/feeds/purchases', 'millrace.v1'],
    ['/feeds/purchases/dead-letters', 'millrace.v1'],
  ] as const) {
    const isGraphql = path === '/graphql';
    const operations = documents.map((query, index) => ({
      id: `${index}`,
      type: 'subscribe',
      payload: { query },
    }));
    for (const field of fields) {
      const first = isGraphql
        ? { type: 'connection_init', payload: field }
        : { type: 'auth', ...field };
      await talk(seen, `${url}${path}`, protocol, {
        messages: [first, ...(isGraphql ? operations : [])],
      });
    }
    for (const header of headers) await talk(seen, `${url}${path}`, protocol, { headers: header });
    for (const query of await inUrl()) await talk(seen, `${url}${path}?${query}`, protocol, {});
    await talk(seen, `${url}${path}`, protocol, {
      messages: [{ type: secrets.key, payload: secrets.key }],
    });
  }
  return minted;
}

function addLog(seen: Seen, { lines }: CapturedLog): void {
  seen.add(...lines.map((line) => JSON.stringify(line)));
}

test('a secret is found in each of its forms', () => {
  const { key } = secrets;
  for (const text of [`a ${key} b`, basic({ projectId: 'acme', key }), digestOf(key)]) {
    const seen = new Seen();
    seen.add(text);
    assert.throws(() => seen.assertWithout({ key }), /^AssertionError.*: key in: /s);
  }
});

test('no secret is seen by anybody: not in logs, answers, messages, reasons of closes or metrics', async (t) => {
  const kafka = new EmbeddedKafka({ clock: systemClock });
  kafka.createTopic('acme.purchases', 3);
  const log = captureLog();
  const config = testConfig(settings);
  const server = await runServer(t, config, { driver: kafka.driver(), logger: log.logger });
  const seen = new Seen();
  const minted = await goEverywhere(server, seen);

  const leaving = new WebSocket(
    `${server.url.replace('http', 'ws')}/feeds/purchases`,
    'millrace.v1',
    {
      headers: { authorization: basic({ projectId: 'acme', key: secrets.revokedKey }) },
    },
  );
  t.after(() => leaving.terminate());
  leaving.on('message', (data: Buffer) => seen.add(data.toString()));
  await once(leaving, 'message');
  const [acme] = config.auth.projects;
  assert.ok(acme);
  server.updateProjects([{ ...acme, keys: acme.keys.filter(({ name }) => name === 'right') }]);
  const [code, reason] = await once(leaving, 'close');
  seen.add(`${code} ${String(reason)}`);
  assert.equal(code, 4403);

  addLog(seen, log);
  assert.ok(seen.size > 300, `${seen.size}`);
  assert.ok(seen.has('millrace_build_info'));
  seen.assertWithout({ ...secrets, ...minted });
});

test('a fault of ours is in the log, and masked on every way out', async (t) => {
  const kafka = new EmbeddedKafka({ clock: systemClock });
  kafka.createTopic('acme.purchases', 3);
  const log = captureLog();
  const server = await runServer(t, testConfig(settings), {
    driver: faulty(kafka.driver()),
    logger: log.logger,
  });
  const seen = new Seen();
  const minted = await goEverywhere(server, seen);
  seen.assertWithout({ ...secrets, fault });
  await log.logged('unexpected fault');
  assert.ok(log.lines.some((line) => JSON.stringify(line).includes(fault)));
  addLog(seen, log);
  seen.assertWithout({ ...secrets, ...minted });
});

function fail(): never {
  throw new Error(fault);
}

/** Everything that is asked of the cluster fails in a way that nobody has thought of. */
function faulty(driver: KafkaDriver): KafkaDriver {
  return {
    ...driver,
    connect: (sasl) => {
      const client = driver.connect(sasl);
      return new Proxy(client, {
        get(target, name) {
          if (name === 'listTopics' || name === 'describeTopics' || name === 'listOffsets')
            return fail;
          const value: unknown = Reflect.get(target, name);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
    },
  };
}

for (const client of kafkaClients) {
  test(`a password that Kafka refuses is told to nobody, with ${client}`, async (t) => {
    const kafka = await sharedCluster();
    const kafkaSettings = {
      ...settings,
      MILLRACE_KAFKA_CLIENT: client,
      MILLRACE_KAFKA_BROKERS: kafka.bootstrap('saslPlaintext').join(),
    };
    const log = captureLog();
    const seen = new Seen();
    const server = await runServer(t, testConfig(kafkaSettings), { logger: log.logger });
    const headers = {
      authorization: basic({ projectId: 'acme', key: secrets.key }),
      'content-type': 'application/json',
    };
    const body = JSON.stringify({ query: '{ topics { name } }' });
    await ask(seen, `${server.url}/graphql`, { method: 'POST', headers, body });
    await ask(seen, `${server.url}/health/ready`, {});
    await talk(seen, `${server.url}/feeds/purchases`, 'millrace.v1', { headers });
    await log.logged('Kafka refuses the login of this server');

    // The same where clients log in to Kafka themselves.
    const own = await runServer(
      t,
      testConfig({
        ...kafkaSettings,
        MILLRACE_KAFKA_CREDENTIALS: 'client',
        MILLRACE_AUTH_PROJECTS: '[]',
        MILLRACE_KAFKA_SASL_MECHANISM: '',
        MILLRACE_KAFKA_SASL_USERNAME: '',
        MILLRACE_KAFKA_SASL_PASSWORD: '',
      }),
      { logger: log.logger },
    );
    await ask(seen, `${own.url}/graphql`, { method: 'POST', headers, body });
    await talk(seen, `${own.url}/feeds/purchases`, 'millrace.v1', { headers });
    await until('an answer', () => seen.size >= 8);
    addLog(seen, log);
    seen.assertWithout(secrets);
  });
}
