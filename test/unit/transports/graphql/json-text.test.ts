import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { JsonText, stringifyResult } from '../../../../src/transports/graphql/json-text.ts';

test('it writes what JSON.stringify writes', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      assert.equal(stringifyResult(value), JSON.stringify(value));
    }),
  );
});

test('text stands as it is, at any place', () => {
  const big = new JsonText('12345678901234567890');
  assert.equal(
    stringifyResult({ a: big, b: [big, { c: big }], d: undefined }),
    '{"a":12345678901234567890,"b":[12345678901234567890,{"c":12345678901234567890}]}',
  );
});
