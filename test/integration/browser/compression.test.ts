import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { createLogger } from '../../../src/observe/logger.ts';
import { createHttpServer } from '../../../src/transports/http-server.ts';
import { respondText } from '../../../src/transports/respond.ts';
import { policyOf } from '../../../src/transports/security-headers.ts';
import { SharedMessage } from '../../../src/transports/websocket/shared-message.ts';
import { openPage } from '../../support/browser.ts';
import { portOf } from '../../support/websocket.ts';

test('a browser reads messages that share a compressed end', async (t) => {
  const accepted = Promise.withResolvers<{ stream: Socket; extensions: string }>();
  const { server } = createHttpServer({
    routes: new Map([
      [
        '/',
        (_request, response) => {
          response.setHeader('content-security-policy', policyOf(''));
          respondText(response, 'text/html', '<!doctype html>');
        },
      ],
    ]),
    socketRoutes: new Map([
      [
        '/socket',
        {
          protocols: ['p'],
          serve: ({ extensions }, _stream, { socket: stream }) => {
            accepted.resolve({ stream, extensions });
          },
        },
      ],
    ]),
    allowedOrigins: [],
    maxInboundFrameBytes: 65_536,
    maxStallMs: 60_000,
    compression: true,
    logger: createLogger({ level: 'silent' }),
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const page = await openPage(t, `http://127.0.0.1:${portOf(server)}/`);
  const ends = ['{}', 'short', 'ein längeres Ende 🎈 '.repeat(50), 'x'.repeat(70_000)];
  const received = page.evaluate(
    (count) =>
      new Promise<string[]>((resolve, reject) => {
        const messages: string[] = [];
        const socket = new WebSocket(`ws://${location.host}/socket`, 'p');
        socket.addEventListener('close', ({ code }) => reject(new Error(`closed with ${code}`)));
        socket.addEventListener('message', ({ data }) => {
          messages.push(String(data));
          if (messages.length === count) resolve(messages);
        });
      }),
    2 * ends.length,
  );
  const { stream, extensions } = await accepted.promise;
  assert.equal(extensions, 'permessage-deflate');
  const beginnings = ['{"id":"1"}', '{"id":"zwölf"}'];
  for (const end of ends) {
    const message = new SharedMessage(end);
    for (const beginning of beginnings) {
      for (const part of message.frame(beginning, true)) stream.write(part);
    }
  }
  const expected = ends.flatMap((end) => beginnings.map((beginning) => beginning + end));
  assert.deepEqual(await received, expected);
});
