import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runServer, testConfig } from '../../support/server.ts';

const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

test('a browser that opens the server is led to the console', async (t) => {
  const { url } = await runServer(t, testConfig());
  const answer = await fetch(`${url}/?from=anywhere`, { headers: browser, redirect: 'manual' });
  assert.equal(answer.status, 302);
  assert.equal(answer.headers.get('location'), '/console');
  assert.match(String(answer.headers.get('vary')), /accept/);
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
  const page = await fetch(url, { headers: browser });
  assert.match(await page.text(), /<title>Millrace console<\/title>/);
});

test('everybody else is told what is where, and only of what there is', async (t) => {
  const { url } = await runServer(t, testConfig());
  const answer = await fetch(url);
  assert.equal(answer.status, 200);
  assert.match(String(answer.headers.get('content-type')), /^text\/plain/);
  const text = await answer.text();
  for (const path of ['/console', '/graphql', '/feeds/{topic}', '/tokens', '/health/live']) {
    assert.ok(text.includes(`  ${path}`), path);
  }
  const without = await runServer(
    t,
    testConfig({ MILLRACE_HTTP_CONSOLE: 'false', MILLRACE_GRAPHQL_GRAPHIQL: 'false' }),
  );
  const plain = await fetch(without.url, { headers: browser, redirect: 'manual' });
  assert.equal(plain.status, 200);
  assert.doesNotMatch(await plain.text(), /console|GraphiQL/);
});

test('what is sent there by mistake is refused with the way to go, and a page of another origin too', async (t) => {
  const { url } = await runServer(t, testConfig());
  const misled = await fetch(url, { method: 'POST', body: '{"query":"{ topics { name } }"}' });
  assert.equal(misled.status, 405);
  assert.match(await misled.text(), /GraphQL is at \/graphql/);
  const foreign = await fetch(url, { headers: { origin: 'https://elsewhere.example' } });
  assert.equal(foreign.status, 403);
});
