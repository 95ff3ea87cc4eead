import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { freePortFrom } from '../../../../scripts/demo/free-port.ts';
import { freePorts } from '../../../../scripts/kafka/ports.ts';

test('a port that is in use is passed over', async (t) => {
  // Not any port: the system deals out the next ones as well.
  const [port = 0] = await freePorts(1);
  const server = createServer().listen(port, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const free = await freePortFrom('127.0.0.1', port);
  assert.ok(free > port);
  assert.equal(await freePortFrom('127.0.0.1', free), free);
});
