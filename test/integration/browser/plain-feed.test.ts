import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage } from '../../support/browser.ts';
import { feedIs, runEmbedded } from '../../support/server.ts';

test('a browser reads a plain feed, and sees why one is refused', async (t) => {
  const { server, kafka } = await runEmbedded(t, {
    topics: ['acme.purchases'],
    settings: { MILLRACE_HTTP_COMPRESSION: 'true' },
  });
  const page = await openPage(t, `${server.url}/graphql`);
  const open = (key: string) =>
    page.evaluate(
      (key) =>
        new Promise<{ messages: string[]; code: number }>((resolve) => {
          const messages: string[] = [];
          const url = `ws://${location.host}/feeds/purchases?order=ARRIVAL`;
          const socket = new WebSocket(url, 'millrace.v1');
          socket.addEventListener('open', () =>
            socket.send(JSON.stringify({ type: 'auth', projectId: 'acme', key })),
          );
          socket.addEventListener('close', ({ code }) => resolve({ messages, code }));
          socket.addEventListener('message', ({ data }) => {
            messages.push(String(data));
            if (messages.length === 2) socket.close();
          });
        }),
      key,
    );

  const refused = await open('acme-write');
  assert.equal(refused.code, 4403);
  assert.deepEqual(
    refused.messages.map((text) => JSON.parse(text)),
    [{ type: 'error', code: 'FORBIDDEN', message: 'write keys cannot read' }],
  );

  const reading = open('acme-read');
  await feedIs(server, 'acme.purchases');
  const payload = `{"number": 12345678901234567890, "text": "${'🎈'.repeat(300)}"}`;
  kafka.append('acme.purchases', { value: payload });
  const { messages } = await reading;
  const [ready, event] = messages;
  assert.equal(JSON.parse(ready ?? '').type, 'ready');
  assert.ok(event?.includes(`"payload":${payload}`));
});
