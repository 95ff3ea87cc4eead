import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { serverAudits } from 'graphql-http';
import { basic } from '../../support/graphql-client.ts';
import { runEmbedded } from '../../support/server.ts';

const authorization = basic({ projectId: 'acme', key: 'acme-read' });

test('the audits of graphql-http', async (t) => {
  const { server } = await runEmbedded(t, { topics: [] });
  const audits = serverAudits({
    url: `${server.url}/graphql`,
    fetchFn: (url: string, init: RequestInit = {}) => {
      const headers = new Headers(init.headers);
      headers.set('authorization', authorization);
      return fetch(url, { ...init, headers });
    },
  });
  assert.ok(audits.length > 50);
  for (const { id, name, fn } of audits) {
    await t.test(`${id}: ${name}`, async () => {
      const result = await fn();
      assert.equal(result.status, 'ok', 'reason' in result ? result.reason : undefined);
    });
  }
});

/** What is asked, and with which status it is answered to each media type. */
const refusals: readonly {
  readonly what: string;
  readonly query: string;
  readonly key?: string;
  readonly code: string;
  readonly status: number;
}[] = [
  {
    what: 'a document that cannot be parsed',
    query: '{',
    code: 'BAD_USER_INPUT',
    status: 400,
  },
  {
    what: 'a subscription to a topic that is not there',
    query: 'subscription { events(topic: "nothing") { id } }',
    code: 'TOPIC_NOT_FOUND',
    status: 404,
  },
  {
    what: 'a subscription that the key may not have',
    query: 'subscription { events(topic: "purchases") { id } }',
    key: 'acme-narrow',
    code: 'FORBIDDEN',
    status: 403,
  },
  {
    what: 'a document over a limit',
    query: `{ ${Array.from({ length: 20 }, (_, index) => `a${index}: __typename`).join(' ')} }`,
    code: 'LIMIT_EXCEEDED',
    status: 429,
  },
];

for (const { what, query, key = 'acme-read', code, status } of refusals) {
  test(`${what} is answered with the status of ${code} where the media type allows it`, async (t) => {
    const ask = await open(t);
    const refused = await ask('application/graphql-response+json', query, key);
    assert.equal(refused.status, status);
    const { errors, ...rest } = Object(await refused.json());
    assert.deepEqual(rest, {});
    assert.equal(errors[0].extensions.code, code);
    assert.equal('http' in errors[0].extensions, false);
    for (const mediaType of ['application/json', 'text/event-stream']) {
      const answered = await ask(mediaType, query, key);
      assert.equal(answered.status, 200, mediaType);
      assert.match(await answered.text(), new RegExp(`"code":"${code}"`), mediaType);
    }
  });
}

test('what was executed is answered with 200, errors included', async (t) => {
  const ask = await open(t);
  const query = '{ recentEvents(topic: "nothing") { id } }';
  const answered = await ask('application/graphql-response+json', query, 'acme-read');
  assert.equal(answered.status, 200);
  const { data, errors } = Object(await answered.json());
  assert.equal(data, null);
  assert.equal(errors[0].extensions.code, 'TOPIC_NOT_FOUND');
});

async function open(t: TestContext) {
  const { server } = await runEmbedded(t, { topics: ['acme.purchases'] });
  return (accept: string, query: string, key: string): Promise<Response> =>
    fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: {
        accept,
        'content-type': 'application/json',
        authorization: basic({ projectId: 'acme', key }),
      },
      body: JSON.stringify({ query }),
    });
}
