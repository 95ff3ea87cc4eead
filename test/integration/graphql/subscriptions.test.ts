import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { describe, type Received, subscribers } from '../../support/graphql-client.ts';
import { feedIs, runEmbedded, testConfig } from '../../support/server.ts';

const login = { projectId: 'acme', key: 'acme-read' };

/** An event as an analytics service records it. */
function purchase(id: string, timestamp: string, more: Record<string, unknown> = {}): string {
  return JSON.stringify({ keen: { id, timestamp }, ...more });
}

/** An instant of the past. */
function ago(ms: number): string {
  return new Date(Date.now() - ms).toISOString();
}

function column(received: Received, field: string, name: string): unknown[] {
  return received.results.map(({ data }) => {
    const message: unknown = data?.[field];
    assert.ok(typeof message === 'object' && message !== null);
    return Object.entries(message).find(([key]) => key === name)?.[1];
  });
}

for (const [transport, subscribe] of Object.entries(subscribers)) {
  const open = async (
    t: TestContext,
    query: string,
    { key = login.key, settings = {}, variables = {} } = {},
  ) => {
    const { server, kafka } = await runEmbedded(t, {
      topics: [
        'acme.purchases',
        'acme.purchases-dlq',
        'acme.signups',
        'globex.purchases',
        'globex.secret',
      ],
      settings,
    });
    const received = subscribe(t, {
      url: server.url,
      login: { projectId: 'acme', key },
      query,
      variables,
    });
    const started = (topic = 'acme.purchases'): Promise<void> => feedIs(server, topic);
    return { server, kafka, received, started };
  };

  test(`${transport}: events come in the order of their own time, each once, with late ones flagged`, async (t) => {
    const { kafka, received, started } = await open(
      t,
      'subscription { events(topic: "purchases") { id late } }',
    );
    await started();
    const nowMs = Date.now();
    const record = (id: string, atMs: number, timestampMs: number): void => {
      const value = purchase(id, new Date(atMs).toISOString());
      kafka.append('acme.purchases', { value, timestampMs });
    };
    record('c', nowMs - 20, nowMs);
    record('a', nowMs - 60, nowMs);
    record('b', nowMs - 40, nowMs);
    record('a', nowMs - 60, nowMs);
    await received.atLeast(3);
    const laterMs = Date.now();
    record('late', laterMs - 60_000, laterMs);
    record('a', nowMs - 60, laterMs);
    record('d', laterMs, laterMs);
    await received.atLeast(5);
    assert.deepEqual(column(received, 'events', 'id'), ['a', 'b', 'c', 'late', 'd']);
    assert.deepEqual(column(received, 'events', 'late'), [false, false, false, true, false]);
  });

  test(`${transport}: the payload passes unchanged, with its digits, and so do its properties`, async (t) => {
    const { kafka, received, started } = await open(
      t,
      `subscription {
        events(topic: "purchases", order: ARRIVAL) {
          id topic timestamp sequence payload partition offset recordedAt
          big: value(property: "order.number") none: value(property: "order.nothing")
        }
      }`,
    );
    await started();
    const json = `{ "keen" : {"id":"x","timestamp":"2026-11-23T17:00:00.123456"},
      "sequence_number": 9007199254740993, "order":{"number": 12345678901234567890, "price": 1.10 } }`;
    kafka.append('acme.purchases', { partition: 2, value: json, timestampMs: 1_700_000_000_123 });
    const [result] = await received.atLeast(1);
    assert.deepEqual(result?.data?.['events'], {
      id: 'x',
      topic: 'purchases',
      timestamp: '2026-11-23T17:00:00.123456Z',
      sequence: '9007199254740993',
      payload: JSON.parse(json),
      partition: 2,
      offset: '0',
      recordedAt: '2023-11-14T22:13:20.123Z',
      big: JSON.parse('12345678901234567890'),
      none: null,
    });
  });

  test(`${transport}: filters choose by properties`, async (t) => {
    const { kafka, received, started } = await open(
      t,
      `subscription($where: [PropertyFilter!]) {
        events(topic: "purchases", order: ARRIVAL, where: $where) { id }
      }`,
      {
        variables: {
          where: [
            { property: 'user.id', value: 7 },
            { property: 'total', operator: 'GT', value: 10 },
          ],
        },
      },
    );
    await started();
    kafka.append('acme.purchases', {
      partition: 0,
      value: purchase('no', ago(0), { user: { id: 8 }, total: 11 }),
    });
    kafka.append('acme.purchases', {
      partition: 0,
      value: purchase('few', ago(0), { user: { id: 7 }, total: 10 }),
    });
    kafka.append('acme.purchases', {
      partition: 0,
      value: purchase('yes', ago(0), { user: { id: 7 }, total: 11 }),
    });
    await received.atLeast(1);
    assert.deepEqual(column(received, 'events', 'id'), ['yes']);
  });

  test(`${transport}: dead letters come from the dead-letter topic and from what cannot be decoded`, async (t) => {
    const { kafka, received, started } = await open(
      t,
      'subscription { deadLetters(topic: "purchases") { event error source topic partition offset } }',
    );
    await started('acme.purchases');
    await started('acme.purchases-dlq');
    kafka.append('acme.purchases-dlq', {
      partition: 1,
      value: JSON.stringify({ event: '{"a":', error: 'Unexpected end' }),
    });
    await received.atLeast(1);
    kafka.append('acme.purchases', { partition: 0, value: '{"broken"' });
    const [upstream, bridge] = await received.atLeast(2);
    assert.deepEqual(upstream?.data?.['deadLetters'], {
      event: '{"a":',
      error: 'Unexpected end',
      source: 'UPSTREAM',
      topic: 'purchases',
      partition: 1,
      offset: '0',
    });
    const letter = Object(bridge?.data?.['deadLetters']);
    assert.equal(letter.event, '{"broken"');
    assert.equal(letter.source, 'BRIDGE');
    assert.match(letter.error, /not valid JSON/);
  });

  test(`${transport}: since starts in the past, in order and without duplicates`, async (t) => {
    const { server, kafka } = await runEmbedded(t, { topics: ['acme.purchases'] });
    const now = Date.now();
    for (let index = 0; index < 300; index += 1) {
      const time = new Date(now - 60_000 + index * 100).toISOString();
      const record = {
        value: purchase(`e${index}`, time),
        timestampMs: now - 60_000 + index * 100,
      };
      kafka.append('acme.purchases', record);
      if (index % 10 === 0) kafka.append('acme.purchases', record);
    }
    const received = subscribe(t, {
      url: server.url,
      login,
      query:
        'subscription($since: DateTime) { events(topic: "purchases", since: $since) { id late } }',
      variables: { since: new Date(now - 50_000).toISOString() },
    });
    await received.atLeast(200);
    const ids = Array.from({ length: 200 }, (_, index) => `e${index + 100}`);
    assert.deepEqual(column(received, 'events', 'id'), ids);
    assert.ok(column(received, 'events', 'late').every((late) => late === false));
  });

  const refused: readonly [
    what: string,
    query: string,
    code: string,
    message: RegExp,
    key?: string,
  ][] = [
    [
      'an unknown topic',
      '{ events(topic: "nothing") { id } }',
      'TOPIC_NOT_FOUND',
      /no topic "nothing"/,
    ],
    [
      "another project's topic",
      '{ events(topic: "secret") { id } }',
      'TOPIC_NOT_FOUND',
      /no topic "secret"/,
    ],
    [
      'a topic that the key may not read',
      '{ events(topic: "purchases") { id } }',
      'FORBIDDEN',
      /this key may not read topic/,
      'acme-narrow',
    ],
    [
      'a bad since',
      '{ events(topic: "purchases", since: "yesterday") { id } }',
      'BAD_USER_INPUT',
      /2026-11-23T17:00:00Z/,
    ],
    [
      'a since in the future',
      '{ events(topic: "purchases", since: "2999-01-01T00:00:00Z") { id } }',
      'BAD_USER_INPUT',
      /since must not be in the future/,
    ],
    [
      'a bad filter',
      '{ events(topic: "purchases", where: [{ property: "a", operator: IN, value: 3 }]) { id } }',
      'BAD_USER_INPUT',
      /IN/,
    ],
    ['an impossible topic name', '{ events(topic: "") { id } }', 'BAD_USER_INPUT', /topic/i],
    ['an unknown field', '{ events(topic: "purchases") { nothing } }', 'BAD_USER_INPUT', /nothing/],
    ['no GraphQL at all', '{ events(', 'BAD_USER_INPUT', /Syntax Error/],
    [
      'a document that is too deep',
      '{ events(topic: "purchases") { ...a } } fragment a on Event { id @skip(if: false) ' +
        '@include(if: true) '.repeat(60) +
        '}',
      'LIMIT_EXCEEDED',
      /queryDirectives/,
    ],
  ];
  for (const [what, query, code, message, key] of refused) {
    test(`${transport}: ${what} is refused with ${code}`, async (t) => {
      const { received } = await open(t, `subscription ${query}`, key ? { key } : {});
      const error = await received.ended;
      const [first] = [error ?? received.results[0]?.errors].flat();
      const refusal = Object(first);
      assert.equal(refusal.extensions?.code, code, JSON.stringify(error));
      assert.match(refusal.message, message);
    });
  }

  test(`${transport}: a revoked key ends its subscription, and nobody else's`, async (t) => {
    const { server, kafka } = await runEmbedded(t, { topics: ['acme.purchases'] });
    const query = 'subscription { events(topic: "purchases", order: ARRIVAL) { id } }';
    const { url } = server;
    const revoked = subscribe(t, { url, login, query });
    const kept = subscribe(t, { url, login: { ...login, key: 'acme-master' }, query });
    await feedIs(server, 'acme.purchases', { subscribers: 2 });
    const projects = testConfig().auth.projects.map(({ id, keys }) => ({
      id,
      keys: keys.filter(({ name }) => name !== 'read'),
    }));
    server.updateProjects(projects);
    const error = await revoked.ended;
    assert.match(describe(error ?? revoked.results.pop()?.errors), /revoked/);
    kafka.append('acme.purchases', { value: purchase('after', ago(0)) });
    await kept.atLeast(1);
    assert.deepEqual(column(kept, 'events', 'id'), ['after']);
    assert.equal(revoked.results.length, 0);
  });
}
