import assert from 'node:assert/strict';
import { test } from 'node:test';
import { acceptableOffer } from '../../../../src/transports/websocket/compression-offer.ts';

test('the first offer is accepted that is right and leaves the server its whole window', () => {
  for (const [offers, accepted] of [
    ['permessage-deflate', 'permessage-deflate'],
    ['permessage-deflate; client_max_window_bits', 'permessage-deflate; client_max_window_bits'],
    ['permessage-deflate;client_max_window_bits=9', 'permessage-deflate;client_max_window_bits=9'],
    [
      'permessage-deflate; client_no_context_takeover; server_no_context_takeover',
      'permessage-deflate; client_no_context_takeover; server_no_context_takeover',
    ],
    [
      'permessage-deflate; server_max_window_bits=15',
      'permessage-deflate; server_max_window_bits=15',
    ],
    [
      'Permessage-Deflate; server_max_window_bits = "15"',
      'permessage-deflate; server_max_window_bits = "15"',
    ],
    ['permessage-deflate; server_max_window_bits=10', undefined],
    ['permessage-deflate;server_max_window_bits = "12"', undefined],
    ['permessage-deflate; server_max_window_bits=10, permessage-deflate', 'permessage-deflate'],
    ['x-webkit-deflate-frame', undefined],
    ['x-other; a="b", permessage-deflate', 'permessage-deflate'],
    ['permessage-deflate; unknown', undefined],
    ['permessage-deflate; toString', undefined],
    ['permessage-deflate; client_max_window_bits=7', undefined],
    ['permessage-deflate; client_max_window_bits=16', undefined],
    ['permessage-deflate; server_no_context_takeover=1', undefined],
    ['permessage-deflate; client_max_window_bits; client_max_window_bits', undefined],
    ['permessage-deflate;', undefined],
    ['', undefined],
  ] as const) {
    assert.equal(acceptableOffer(offers), accepted, offers);
  }
});
