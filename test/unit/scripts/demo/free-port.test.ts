import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { freePortFrom } from '../../../../scripts/demo/free-port.ts';

test('a port that is in use is passed over', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const free = await freePortFrom('127.0.0.1', address.port);
  assert.ok(free > address.port);
  assert.equal(await freePortFrom('127.0.0.1', free), free);
});
