import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Case } from './stage.ts';

/** RFC 6455, section 1.3. */
const acceptGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const badHeaders = {
  'no key': { 'sec-websocket-key': undefined },
  'a key that is not 16 bytes': { 'sec-websocket-key': 'c2hvcnQ=' },
  'no version': { 'sec-websocket-version': undefined },
  'another version': { 'sec-websocket-version': '12' },
} as const;

export const handshakes: readonly Case[] = [
  {
    title: '4.2.2: a handshake is answered with what its key comes to',
    async play(t, stage) {
      const { status, headers, key } = await stage.shakeHands(t);
      assert.equal(status, 101);
      assert.equal(headers.get('upgrade')?.toLowerCase(), 'websocket');
      assert.equal(headers.get('connection')?.toLowerCase(), 'upgrade');
      const accept = createHash('sha1').update(`${key}${acceptGuid}`).digest('base64');
      assert.equal(headers.get('sec-websocket-accept'), accept);
      assert.equal(headers.get('sec-websocket-protocol'), stage.endpoint.protocol);
      assert.equal(headers.has('sec-websocket-extensions'), false);
    },
  },
  {
    title: '4.2.1: tokens are compared without case, and may stand among others',
    async play(t, stage) {
      const { protocol } = stage.endpoint;
      const { status, headers } = await stage.shakeHands(t, {
        upgrade: 'WebSocket',
        connection: 'keep-alive, upgrade',
        'sec-websocket-protocol': `another, ${protocol}`,
      });
      assert.equal(status, 101);
      assert.equal(headers.get('sec-websocket-protocol'), protocol);
    },
  },
  {
    title: '4.2.2: no subprotocol is answered but one that was offered',
    async play(t, stage) {
      const offered = { 'sec-websocket-protocol': 'another' };
      const { status, headers, client } = await stage.shakeHands(t, offered);
      assert.equal(status, 101);
      assert.equal(headers.has('sec-websocket-protocol'), false);
      assert.equal(await client.closed(), 4406);
    },
  },
  ...Object.entries(badHeaders).map(
    ([what, headers]): Case => ({
      title: `4.2.1: a handshake with ${what} is refused`,
      async play(t, stage) {
        const { status, headers: answered } = await stage.shakeHands(t, headers);
        assert.ok(status >= 400 && status < 500, String(status));
        if (!('sec-websocket-version' in headers)) return;
        assert.match(answered.get('sec-websocket-version') ?? '', /\b13\b/);
      },
    }),
  ),
  {
    title: '4.2.1: a handshake by another method is refused',
    async play(t, stage) {
      const { status } = await stage.shakeHands(t, { 'content-length': '0' }, 'POST');
      assert.ok(status >= 400 && status < 500, String(status));
    },
  },
  {
    title:
      'RFC 9110, 7.8: an upgrade to another protocol is not taken up, and the request answered',
    async play(t, stage) {
      const { status, headers } = await stage.shakeHands(t, { upgrade: 'h2c' });
      assert.equal(status, 401);
      assert.equal(headers.has('upgrade'), false);
    },
  },
];
