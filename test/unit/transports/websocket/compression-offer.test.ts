import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canCompress } from '../../../../src/transports/websocket/compression-offer.ts';

test('an offer is accepted if it leaves the server its whole window', () => {
  for (const [offers, accepted] of [
    ['permessage-deflate', true],
    ['permessage-deflate; client_max_window_bits', true],
    ['permessage-deflate; client_no_context_takeover; server_no_context_takeover', true],
    ['permessage-deflate; server_max_window_bits=15', true],
    ['permessage-deflate; server_max_window_bits="15"', true],
    ['permessage-deflate; server_max_window_bits=10', false],
    ['permessage-deflate;server_max_window_bits = "12"', false],
    ['permessage-deflate; server_max_window_bits=10, permessage-deflate', true],
    ['x-webkit-deflate-frame', false],
    ['x-other, permessage-deflate', true],
    ['', false],
  ] as const) {
    assert.equal(canCompress(offers), accepted, offers);
  }
});
