import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient } from '../../../src/client/index.ts';

test('where there is no WebSocket, as in Node 20, a feed ends and says what to do', async (t) => {
  const found = Object.getOwnPropertyDescriptor(globalThis, 'WebSocket');
  assert.ok(found !== undefined);
  Reflect.deleteProperty(globalThis, 'WebSocket');
  t.after(() => Object.defineProperty(globalThis, 'WebSocket', found));
  const client = createClient({ url: 'http://127.0.0.1:9', projectId: 'acme', key: 'acme-read' });
  t.after(() => client.close());
  await assert.rejects(client.events('purchases')[Symbol.asyncIterator]().next(), {
    name: 'FeedError',
    code: 'BAD_USER_INPUT',
    message: 'this runtime has no WebSocket: use Node 22 or later',
  });
});
