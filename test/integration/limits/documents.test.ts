import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { basic, webSocketClient } from '../../support/graphql-client.ts';
import { metricsOf } from '../../support/metrics.ts';
import { runEmbedded } from '../../support/server.ts';

const login = { projectId: 'acme', key: 'acme-read' } as const;
const authorization = basic(login);

/** Documents that are over one limit each, of its default. */
const documents = {
  'limits.queryDepth':
    '{ topic(name: "purchases") { deadLetters { deadLetters { deadLetters { deadLetters { deadLetters { name } } } } } } }',
  'limits.queryAliases': `{ project { ${Array.from({ length: 16 }, (_, n) => `a${n}: id`).join(' ')} } }`,
  'limits.queryDirectives': `{ project { id ${'@include(if: true) '.repeat(51)} } }`,
  'limits.queryTokens': `{ project { ${'id '.repeat(1_000)} } }`,
  'limits.queryCharacters': `{ project { id } } #${'x'.repeat(15_000)}`,
} as const;

type Send = (t: TestContext, url: string, query: string) => Promise<unknown>;

function first(answer: unknown): unknown {
  const [error] = Object(answer).errors ?? [];
  return Object(error).extensions;
}

/** What each way answers as the first error. */
const ways: Readonly<Record<string, Send>> = {
  POST: async (_t, url, query) =>
    first(
      await (
        await fetch(`${url}/graphql`, {
          method: 'POST',
          headers: { authorization, 'content-type': 'application/json' },
          body: JSON.stringify({ query }),
        })
      ).json(),
    ),
  GET: async (_t, url, query) =>
    first(
      await (
        await fetch(`${url}/graphql?${new URLSearchParams({ query })}`, {
          headers: { authorization, accept: 'application/json' },
        })
      ).json(),
    ),
  SSE: async (_t, url, query) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { authorization, accept: 'text/event-stream', 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    });
    const [, data = ''] = /^data: (\{.*)$/m.exec(await response.text()) ?? [];
    return first(JSON.parse(data));
  },
  WebSocket: async (t, url, query) => {
    const client = webSocketClient(t, url, login);
    const { promise, resolve } = Promise.withResolvers<unknown>();
    client.subscribe(
      { query },
      { next: resolve, error: (errors) => resolve({ errors }), complete: () => undefined },
    );
    return first(await promise);
  },
};

for (const [limit, query] of Object.entries(documents)) {
  test(`a document over ${limit} is refused alike by ${Object.keys(ways).join(', ')}`, async (t) => {
    const { server } = await runEmbedded(t, { topics: ['acme.purchases'] });
    for (const [way, send] of Object.entries(ways)) {
      const { code, ...details } = Object(await send(t, server.url, query));
      assert.deepEqual([code, details], ['LIMIT_EXCEEDED', { limit }], way);
    }
    const series = await metricsOf(server.url);
    const hit = series.get(`millrace_limits_hit_total{limit="${limit}"}`);
    assert.equal(hit, Object.keys(ways).length);
  });
}
