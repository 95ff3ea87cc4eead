import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Server, createServer, get } from 'node:http';
import { type TestContext, test } from 'node:test';
import { MillraceError } from '../../../../src/core/errors.ts';
import { createMetricsRoute } from '../../../../src/transports/metrics/route.ts';
import { respondError } from '../../../../src/transports/respond.ts';
import { portOf } from '../../../support/websocket.ts';

const token = 'a-token-of-some-length-for-metrics';

async function serve(t: TestContext, token: string | null, from?: string): Promise<string> {
  const route = createMetricsRoute({
    text: async () => 'millrace 1\n',
    contentType: 'text/plain; version=0.0.4',
    token,
  });
  const server: Server = createServer((request, response) => {
    if (from !== undefined) Object.defineProperty(request.socket, 'remoteAddress', { value: from });
    Promise.resolve(route(request, response, [])).catch((error: unknown) => {
      assert.ok(error instanceof MillraceError);
      respondError(response, error);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return `http://127.0.0.1:${portOf(server)}`;
}

test('without a token the machine itself is shown the metrics', async (t) => {
  const response = await fetch(await serve(t, null));
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4');
  assert.equal(await response.text(), 'millrace 1\n');
  for (const from of ['::1', '::ffff:127.0.0.1', '127.0.0.53']) {
    assert.equal((await fetch(await serve(t, null, from))).status, 200, from);
  }
});

test('without a token nobody else is, and nobody through a proxy', async (t) => {
  for (const from of ['10.0.0.7', '::ffff:10.127.0.0', '::', '1.127.0.1']) {
    const response = await fetch(await serve(t, null, from));
    assert.equal(response.status, 403, from);
    assert.match(await response.text(), /metrics\.tokenFile/);
  }
  const url = await serve(t, null);
  for (const header of ['x-forwarded-for', 'x-forwarded-proto', 'forwarded', 'x-real-ip', 'via']) {
    assert.equal((await fetch(url, { headers: { [header]: '127.0.0.1' } })).status, 403, header);
  }
});

test('without a token they are shown under no name but the machine’s own, whoever made it lead here', async (t) => {
  const url = await serve(t, null);
  const status = async (host: string): Promise<number> => {
    const [response] = await once(get(url, { agent: false, headers: { host } }), 'response');
    response.resume();
    return response.statusCode;
  };
  for (const own of ['localhost', 'LOCALHOST:4000', '127.0.0.1:4000', '127.0.1.1', '[::1]:4000']) {
    assert.equal(await status(own), 200, own);
  }
  for (const other of [
    'evil.example:4000',
    'localhost.evil.example',
    '127.evil.example',
    '10.0.0.7',
  ]) {
    assert.equal(await status(other), 403, other);
  }
});

test('with a token whoever shows it, and not even the machine itself without', async (t) => {
  const url = await serve(t, token, '10.0.0.7');
  const status = async (authorization?: string): Promise<number> => {
    const headers = authorization === undefined ? {} : { authorization };
    const response = await fetch(url, { headers });
    assert.doesNotMatch(await response.text(), new RegExp(token));
    return response.status;
  };
  assert.equal(await status(`Bearer ${token}`), 200);
  assert.equal(await status(`bearer ${token}`), 200);
  assert.equal(await status(`Bearer ${token}x`), 401);
  assert.equal(await status(`Bearer ${token.slice(1)}`), 401);
  assert.equal(await status('Bearer '), 401);
  assert.equal(await status(`Basic ${token}`), 401);
  assert.equal(await status(), 401);
  assert.equal((await fetch(await serve(t, token, '127.0.0.1'))).status, 401);
});

test('other methods are refused', async (t) => {
  const response = await fetch(await serve(t, null), { method: 'POST' });
  assert.equal(response.status, 405);
  assert.equal(response.headers.get('allow'), 'GET');
});
