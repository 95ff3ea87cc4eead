import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runServer, testConfig } from '../../support/server.ts';

test('the console is found with a slash behind its address as well', async (t) => {
  const { url } = await runServer(t, testConfig());
  for (const query of ['', '?a=/console/&b=c']) {
    const answer = await fetch(`${url}/console/${query}`, { redirect: 'manual' });
    assert.equal(answer.status, 308);
    assert.equal(answer.headers.get('location'), `/console${query}`);
    const page = await fetch(`${url}/console/${query}`);
    assert.equal(page.url, `${url}/console${query}`);
    assert.match(await page.text(), /<title>Millrace console<\/title>/);
  }
  assert.equal((await fetch(`${url}/console/nothing`)).status, 404);
});
