import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseValue } from 'graphql';
import { bigIntScalar, dateTimeScalar } from '../../../../src/transports/graphql/scalars.ts';

test('an instant is RFC 3339 text, and what is refused is shown', () => {
  assert.equal(dateTimeScalar.parseValue('2026-11-23T17:00:00Z'), '2026-11-23T17:00:00Z');
  assert.throws(() => dateTimeScalar.parseValue('yesterday'), /"yesterday" is no instant/);
  assert.throws(() => dateTimeScalar.parseLiteral(parseValue('1234')), /"1234" is no instant/);
  assert.throws(() => dateTimeScalar.parseValue('1795453200000'), /is no instant/);
});

test('whole numbers of any size are decimal strings', () => {
  assert.equal(bigIntScalar.parseValue('9007199254740993'), 9007199254740993n);
  assert.equal(
    bigIntScalar.parseLiteral(parseValue('12345678901234567890')),
    12345678901234567890n,
  );
  assert.equal(bigIntScalar.serialize(9007199254740993n), '9007199254740993');
  assert.throws(() => bigIntScalar.parseLiteral(parseValue('1.5')), /"1.5" is no whole number/);
});
