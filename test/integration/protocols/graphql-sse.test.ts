/*
 * GraphQL over SSE in distinct connections mode, as the protocol's text has it (PROTOCOL.md of
 * graphql-sse). No suite is published that runs against a server.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { EventSource } from 'eventsource';
import { createClient } from 'graphql-sse';
import { basic } from '../../support/graphql-client.ts';
import { feedIs, runEmbedded } from '../../support/server.ts';
import { until } from '../../support/until.ts';

const authorization = basic({ projectId: 'acme', key: 'acme-read' });
const query = '{ project { id } }';
const result = { data: { project: { id: 'acme' } } };
const subscription = 'subscription { events(topic: "purchases", order: ARRIVAL) { id payload } }';

interface Operation {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
}

function post(
  t: TestContext,
  url: string,
  operation: Operation,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const leaving = new AbortController();
  t.after(() => leaving.abort());
  return fetch(`${url}/graphql`, {
    method: 'POST',
    signal: leaving.signal,
    headers: {
      accept: 'text/event-stream',
      'content-type': 'application/json',
      authorization,
      ...headers,
    },
    body: JSON.stringify(operation),
  });
}

function get(url: string, operation: Operation): string {
  const parameters = new URLSearchParams({ query: operation.query });
  if (operation.variables !== undefined) {
    parameters.set('variables', JSON.stringify(operation.variables));
  }
  return `${url}/graphql?${parameters}`;
}

/** The whole stream as it is sent, without comments. */
async function eventsOf(response: Response): Promise<string> {
  const text = await response.text();
  return text.replaceAll(/^:.*\n\n/gm, '');
}

test('GraphQL over SSE, distinct connections', async (t) => {
  const { server, kafka } = await runEmbedded(t, { topics: ['acme.purchases'] });
  const { url } = server;

  await t.test(
    'a stream is text/event-stream whatever the operation, and is not kept',
    async (t) => {
      for (const operation of [{ query }, { query: '{' }, { query: subscription }]) {
        const response = await post(t, url, operation);
        assert.equal(response.status, 200);
        assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream\b/);
        assert.equal(response.headers.get('cache-control'), 'no-cache');
        await response.body?.cancel();
      }
    },
  );

  await t.test('a single result is one next and complete', async (t) => {
    const data = JSON.stringify(result);
    const expected = `event: next\ndata: ${data}\n\nevent: complete\ndata:\n\n`;
    assert.equal(await eventsOf(await post(t, url, { query })), expected);
    const asked = await fetch(get(url, { query }), {
      headers: { accept: 'text/event-stream', authorization },
    });
    assert.equal(await eventsOf(asked), expected);
  });

  for (const [what, text, code] of [
    ['cannot be parsed', '{', 'BAD_USER_INPUT'],
    ['is not valid', 'subscription { nothing }', 'BAD_USER_INPUT'],
    ['lacks a variable', 'query ($a: String!) { topic(name: $a) { name } }', 'BAD_USER_INPUT'],
    ['is refused', 'subscription { events(topic: "nothing") { id } }', 'TOPIC_NOT_FOUND'],
  ] as const) {
    await t.test(`an operation that ${what} is next with errors, and complete`, async (t) => {
      const response = await post(t, url, { query: text });
      assert.equal(response.status, 200);
      const sent = await eventsOf(response);
      const [, data = ''] =
        /^event: next\ndata: (.*)\n\nevent: complete\ndata:\n\n$/.exec(sent) ?? [];
      const { errors, ...rest } = Object(JSON.parse(data));
      assert.deepEqual(rest, {});
      assert.equal(errors[0].extensions.code, code);
    });
  }

  await t.test('who is not let in gets no stream', async (t) => {
    const refused = await post(t, url, { query }, { authorization: 'Basic ' });
    assert.equal(refused.status, 401);
    assert.match(refused.headers.get('content-type') ?? '', /^application\/json\b/);
  });

  await t.test('graphql-sse is told that its single connection mode is not served', async (t) => {
    for (const retryAttempts of [0, 1]) {
      const client = createClient({
        url: `${url}/graphql`,
        singleConnection: true,
        headers: { authorization },
        retryAttempts,
        retry: () => Promise.resolve(),
      });
      t.after(() => client.dispose());
      await assert.rejects(client.iterate({ query: subscription }).next(), {
        message:
          /^Server responded with 405: Single connection mode .* leave singleConnection out$/,
      });
    }
    const token = { authorization, 'x-graphql-event-stream-token': 'made up' };
    for (const [status, request] of [
      [405, { method: 'PUT', headers: { authorization } }],
      [400, { headers: { ...token, accept: 'text/event-stream' } }],
      [
        400,
        {
          method: 'POST',
          headers: { ...token, 'content-type': 'application/json' },
          body: JSON.stringify({ query: subscription, extensions: { operationId: 'a' } }),
        },
      ],
      [405, { method: 'DELETE', headers: token }],
    ] as const) {
      const response = await fetch(`${url}/graphql`, request);
      assert.equal(response.status, status);
      const [error] = Object(await response.json()).errors;
      assert.equal(error.extensions.code, 'BAD_USER_INPUT');
      assert.match(error.message, /leave `singleConnection` out, .* use graphql-ws/);
    }
  });

  await t.test('an EventSource gets next after next, and complete', async (t) => {
    const open = (operation: Operation): EventSource => {
      const source = new EventSource(get(url, operation), {
        fetch: (input, init) =>
          fetch(input, { ...init, headers: { ...init.headers, authorization } }),
      });
      t.after(() => source.close());
      return source;
    };
    const single = open({ query });
    const completed = once(single, 'complete');
    const [{ data }] = await once(single, 'next');
    assert.deepEqual(JSON.parse(data), result);
    assert.equal((await completed)[0].data, '');

    const source = open({
      query: subscription
        .replace('subscription', 'subscription ($topic: String!)')
        .replace('"purchases"', '$topic'),
      variables: { topic: 'purchases' },
    });
    await feedIs(server, 'acme.purchases');
    const payload = { keen: { id: 'p1' }, text: 'line\nbreak \u2028 😀' };
    for (const value of [JSON.stringify(payload), JSON.stringify(payload, null, 2)]) {
      const next = once(source, 'next');
      kafka.append('acme.purchases', { value: value.replace('p1', `p${value.length}`) });
      const [message] = await next;
      const { events } = Object(JSON.parse(message.data)).data;
      assert.equal(events.id, `p${value.length}`);
      assert.equal(events.payload.text, payload.text);
    }
  });

  await t.test('closing the connection ends the subscription', async (t) => {
    const gone = (): Promise<void> =>
      until('no subscription to be left', () =>
        [...server.hub.registry.feeds()].every(({ subscribers }) => subscribers === 0),
      );
    await gone();
    const response = await post(t, url, { query: subscription });
    await feedIs(server, 'acme.purchases');
    await response.body?.cancel();
    await gone();
  });
});
