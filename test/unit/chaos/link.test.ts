import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { type Link, openEventStream } from '../../chaos/link.ts';
import { settle } from '../../support/manual-clock.ts';
import { until } from '../../support/until.ts';

test('what an event stream still gives after its connection is gone comes before it is over', async (t) => {
  const results = [{ n: 1 }, { n: 2 }, { n: 3 }];
  const server = createServer((_, response) => {
    // In one go: the client has all of it when it takes the first.
    response.cork();
    for (const result of results) {
      response.write(`event: next\ndata: ${JSON.stringify(result)}\n\n`);
    }
    response.end();
    response.uncork();
  });
  t.after(() => server.closeAllConnections());
  t.after(() => server.close());
  const gone = new Promise<void>((resolve) => {
    server.on('connection', (socket) => socket.on('close', resolve));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const seen: unknown[] = [];
  const link: Link = openEventStream({
    url: `http://127.0.0.1:${address.port}`,
    login: { projectId: 'acme', key: 'key' },
    query: '',
    variables: {},
    onResult: (result) => {
      seen.push(result);
      if (seen.length === 1) link.pause();
    },
    onClose: (reason) => seen.push(reason),
  });
  await until('the first result', () => seen.length > 0);
  server.closeAllConnections();
  await gone;
  await settle();
  link.resume();
  await until('the end', () => typeof seen.at(-1) === 'string');
  await settle();
  assert.deepEqual(seen, [...results.slice(0, seen.length - 1), 'ended 200']);
});
