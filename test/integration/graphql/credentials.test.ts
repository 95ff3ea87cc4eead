import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { query, webSocketClient } from '../../support/graphql-client.ts';
import { runEmbedded } from '../../support/server.ts';

const refusals: readonly [
  what: string,
  login: { projectId: string; key: string } | undefined,
  status: number,
  code: string,
  message: RegExp,
][] = [
  ['no credentials', undefined, 401, 'UNAUTHENTICATED', /send/],
  [
    'an unknown project',
    { projectId: 'nobody', key: 'acme-read' },
    401,
    'UNAUTHENTICATED',
    /project/,
  ],
  ['a wrong key', { projectId: 'acme', key: 'wrong' }, 401, 'UNAUTHENTICATED', /project/],
  [
    "another project's key",
    { projectId: 'globex', key: 'acme-read' },
    401,
    'UNAUTHENTICATED',
    /project/,
  ],
  [
    'a write key',
    { projectId: 'acme', key: 'acme-write' },
    403,
    'FORBIDDEN',
    /write keys cannot read/,
  ],
  [
    'a filtered access key',
    { projectId: 'acme', key: 'acme-filtered' },
    403,
    'FORBIDDEN',
    /this access key has filters/,
  ],
  [
    'an access key without queries',
    { projectId: 'acme', key: 'acme-no-queries' },
    403,
    'FORBIDDEN',
    /this access key does not permit queries/,
  ],
  [
    'an inactive key',
    { projectId: 'acme', key: 'acme-inactive' },
    403,
    'FORBIDDEN',
    /this key is not active/,
  ],
];

for (const [what, login, status, code, message] of refusals) {
  test(`HTTP: ${what} is refused with ${status} ${code}`, async (t) => {
    const { server } = await runEmbedded(t, { topics: [] });
    const answer = await query(server.url, login, '{ project { id } }');
    assert.equal(answer.status, status);
    const [error] = answer.body.errors ?? [];
    assert.equal(error?.extensions?.['code'], code);
    assert.match(error?.message ?? '', message);
  });

  test(`WebSocket: ${what} closes the socket with 4403`, async (t) => {
    const { server } = await runEmbedded(t, { topics: [] });
    const client = webSocketClient(t, server.url, login ?? {});
    const { promise, resolve } = Promise.withResolvers<unknown>();
    client.subscribe(
      { query: '{ project { id } }' },
      { next: resolve, error: resolve, complete: () => resolve(undefined) },
    );
    const { code: closeCode, reason } = Object(await promise);
    assert.equal(closeCode, 4403);
    assert.match(reason, message);
  });
}

test('an unknown project and a wrong key get the very same answer', async (t) => {
  const { server } = await runEmbedded(t, { topics: [] });
  const [unknown, wrong] = await Promise.all([
    query(server.url, { projectId: 'nobody', key: 'x' }, '{ project { id } }'),
    query(server.url, { projectId: 'acme', key: 'x' }, '{ project { id } }'),
  ]);
  assert.deepEqual(unknown, wrong);
});

test('good keys say what they are', async (t) => {
  const { server } = await runEmbedded(t, { topics: [] });
  const text = '{ project { id key { name kind topics } } }';
  const answer = await query(server.url, { projectId: 'acme', key: 'acme-narrow' }, text);
  assert.deepEqual(answer, {
    status: 200,
    body: {
      data: { project: { id: 'acme', key: { name: 'narrow', kind: 'READ', topics: ['signups'] } } },
    },
  });
});

test('a socket that does not introduce itself is closed with 4408', async (t) => {
  const { server } = await runEmbedded(t, {
    topics: [],
    settings: { MILLRACE_LIMITS_INIT_TIMEOUT: '100ms' },
  });
  const socket = new WebSocket(
    `${server.url.replace('http', 'ws')}/graphql`,
    'graphql-transport-ws',
  );
  t.after(() => socket.terminate());
  const { promise, resolve } = Promise.withResolvers<number>();
  socket.on('close', resolve);
  assert.equal(await promise, 4408);
});

test("a page of another site may not use the server, the server's own and listed ones may", async (t) => {
  const { server } = await runEmbedded(t, {
    topics: [],
    settings: { MILLRACE_HTTP_ALLOWED_ORIGINS: 'https://shop.example' },
  });
  const opened = (origin: string | undefined): Promise<boolean> => {
    const socket = new WebSocket(
      `${server.url.replace('http', 'ws')}/graphql`,
      'graphql-transport-ws',
      {
        ...(origin !== undefined && { origin }),
      },
    );
    t.after(() => socket.terminate());
    const { promise, resolve } = Promise.withResolvers<boolean>();
    socket.on('open', () => resolve(true));
    socket.on('error', () => resolve(false));
    return promise;
  };
  assert.equal(await opened('https://evil.example'), false);
  assert.equal(await opened('https://shop.example.evil.example'), false);
  assert.equal(await opened('https://shop.example'), true);
  assert.equal(await opened(server.url), true);
  assert.equal(await opened(undefined), true);
  const page = await fetch(`${server.url}/graphql`, {
    method: 'POST',
    headers: { origin: 'https://evil.example', 'content-type': 'application/json' },
    body: '{"query":"{ __typename }"}',
  });
  assert.equal(page.status, 403);
  assert.equal(page.headers.get('access-control-allow-origin'), null);
});
