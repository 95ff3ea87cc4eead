import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { closeReason } from '../../../src/transports/close-reason.ts';

test('a reason that fits is left as it is', () => {
  assert.equal(closeReason('write keys cannot read'), 'write keys cannot read');
  assert.equal(closeReason('x'.repeat(123)), 'x'.repeat(123));
});

test('any reason fits into a close frame and is cut between characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      const reason = closeReason(text);
      assert.ok(Buffer.byteLength(reason) <= 123);
      assert.ok(reason === text || text.startsWith(reason.slice(0, -1)));
    }),
  );
});
