import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { ApolloClient, gql, InMemoryCache } from '@apollo/client/core/index.js';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions/index.js';
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { basic, subscribers, webSocketClient } from '../support/graphql-client.ts';
import { feedIs, runEmbedded } from '../support/server.ts';

const login = { projectId: 'acme', key: 'acme-read' };
const query = 'subscription { events(topic: "purchases", order: ARRIVAL) { id payload } }';

/** A server, and a way to record one purchase once the client is subscribed; answers what is expected. */
async function shop(t: TestContext) {
  const { server, kafka } = await runEmbedded(t, { topics: ['acme.purchases'] });
  return {
    url: server.url,
    record: async (): Promise<{ id: string; payload: unknown }> => {
      await feedIs(server, 'acme.purchases');
      const payload = { keen: { id: 'p1' }, total: 9.5 };
      kafka.append('acme.purchases', { value: JSON.stringify(payload) });
      return { id: 'p1', payload };
    },
  };
}

test('Apollo Client subscribes over graphql-ws', async (t) => {
  const { url, record } = await shop(t);
  const client = new ApolloClient({
    link: new GraphQLWsLink(webSocketClient(t, url, login)),
    cache: new InMemoryCache(),
  });
  t.after(() => client.stop());
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const subscription = client
    .subscribe({ query: gql(query), fetchPolicy: 'no-cache' })
    .subscribe({ next: resolve, error: reject });
  t.after(() => subscription.unsubscribe());
  const { id, payload } = await record();
  const { data }: { data?: unknown } = Object(await promise);
  const { __typename: _, ...event } = Object(data).events;
  assert.deepEqual(event, { id, payload });
});

test('urql subscribes over graphql-ws', async (t) => {
  const { url, record } = await shop(t);
  const socket = webSocketClient(t, url, login);
  const client = new Client({
    url: `${url}/graphql`,
    preferGetMethod: false,
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (request) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe(
              { ...request, query: request.query ?? '' },
              {
                next: (result) => sink.next({ data: result.data ?? null }),
                error: (error) => sink.error(error),
                complete: () => sink.complete(),
              },
            ),
          }),
        }),
      }),
    ],
  });
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const subscription = client.subscription(query, {}).subscribe(resolve);
  t.after(() => subscription.unsubscribe());
  const expected = await record();
  const { data, error } = Object(await promise);
  assert.equal(error, undefined);
  assert.deepEqual(JSON.parse(JSON.stringify(data.events)), expected);
});

for (const [name, subscribe] of Object.entries(subscribers)) {
  test(`${name} subscribes`, async (t) => {
    const { url, record } = await shop(t);
    const received = subscribe(t, { url, login, query });
    const expected = await record();
    const [result] = await received.atLeast(1);
    assert.deepEqual(result?.data?.['events'], expected);
  });
}

test('curl subscribes over SSE', async (t) => {
  const { url, record } = await shop(t);
  const curl = spawn('curl', [
    '--no-buffer',
    '--silent',
    '--user',
    `${login.projectId}:${login.key}`,
    '--header',
    'accept: text/event-stream',
    '--header',
    'content-type: application/json',
    '--data',
    JSON.stringify({ query }),
    `${url}/graphql`,
  ]);
  t.after(() => curl.kill());
  const expected = await record();
  for await (const line of createInterface(curl.stdout)) {
    if (!line.startsWith('data: ')) continue;
    const { data } = JSON.parse(line.slice('data: '.length));
    assert.deepEqual(data.events, expected);
    return;
  }
  assert.fail('the stream ended before the event');
});

test('a query in the URL of a GET is answered', async (t) => {
  const { url } = await shop(t);
  const response = await fetch(`${url}/graphql?query=${encodeURIComponent('{ project { id } }')}`, {
    headers: { authorization: basic(login) },
  });
  assert.deepEqual(await response.json(), { data: { project: { id: 'acme' } } });
});
