import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { valueKey } from '../../../../src/hub/conflation/value-key.ts';

const equal: readonly (readonly [string | undefined, string])[] = [
  [undefined, 'null'],
  ['1', '1.0'],
  ['100', '1e2'],
  ['0', '-0'],
  ['0', '-0.0'],
  ['"A"', String.raw`"\u0041"`],
  [String.raw`"a\"b"`, String.raw`"a\u0022b"`],
];

for (const [one, other] of equal) {
  test(`${one} and ${other} are one value`, () => assert.equal(valueKey(one), valueKey(other)));
}

const different = [
  ['1', '"1"'],
  ['null', '"null"'],
  ['false', 'null'],
  ['9007199254740992', '9007199254740993'],
  ['1e400', '1e401'],
  ['"a"', '"A"'],
  ['{"a":1}', '{"a":2}'],
  ['[1]', '[2]'],
] as const;

for (const [one, other] of different) {
  test(`${one} and ${other} are two values`, () => assert.notEqual(valueKey(one), valueKey(other)));
}

const keyOf = (value: unknown): string => valueKey(JSON.stringify(value));

test('property: scalars have one key if and only if they are equal', () => {
  const scalar = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.integer({ min: -3, max: 3 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
  );
  fc.assert(
    fc.property(scalar, scalar, (one, other) => {
      assert.equal(keyOf(one), keyOf(one));
      assert.equal(keyOf(one) === keyOf(other), JSON.stringify(one) === JSON.stringify(other));
    }),
  );
});
