import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { addressOf } from '../../../src/client/address.ts';

/** As in a page, or as in Deno, which has one that is undefined. */
function setLocation(t: TestContext, location: URL | undefined): void {
  Object.defineProperty(globalThis, 'location', { value: location, configurable: true });
  t.after(() => Reflect.deleteProperty(globalThis, 'location'));
}

test('the server is named as it is found: over HTTP or WebSocket, beneath a path or not', () => {
  for (const [server, feed] of [
    ['http://127.0.0.1:4000', 'ws://127.0.0.1:4000/feeds/a%2Fb%3F'],
    ['https://example.com/', 'wss://example.com/feeds/a%2Fb%3F'],
    ['wss://example.com/millrace/', 'wss://example.com/millrace/feeds/a%2Fb%3F'],
    ['https://example.com/millrace?x=1#y', 'wss://example.com/millrace/feeds/a%2Fb%3F'],
  ] as const) {
    assert.equal(addressOf(server, 'events', 'a/b?', {}).href, feed);
  }
});

test('the address of something on the server is refused', () => {
  for (const server of ['http://127.0.0.1:4000/graphql', 'wss://example.com/millrace/feeds/']) {
    assert.throws(() => addressOf(server, 'events', 'a', {}), {
      name: 'TypeError',
      message: "url is the server's address, without /graphql or /feeds",
    });
  }
  assert.equal(addressOf('ws://a/my-feeds', 'events', 'a', {}).pathname, '/my-feeds/feeds/a');
});

test('in a page it may be relative to the page', (t) => {
  setLocation(t, new URL('https://example.com/shop/index.html?q=1'));
  for (const [server, feed] of [
    ['/', 'wss://example.com/feeds/a/dead-letters'],
    ['/millrace', 'wss://example.com/millrace/feeds/a/dead-letters'],
    ['http://other', 'ws://other/feeds/a/dead-letters'],
  ] as const) {
    assert.equal(addressOf(server, 'deadLetters', 'a', {}).href, feed);
  }
});

test('where there is no page it may not', (t) => {
  assert.throws(() => addressOf('/', 'events', 'a', {}), TypeError);
  setLocation(t, undefined);
  assert.equal(addressOf('http://other', 'events', 'a', {}).href, 'ws://other/feeds/a');
  assert.throws(() => addressOf('/', 'events', 'a', {}), TypeError);
});
