import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { exactInteger } from '../../../src/decode/integer.ts';

describe('exactInteger', () => {
  it('reads integers in every notation', () => {
    assert.equal(exactInteger('42'), 42);
    assert.equal(exactInteger('-0042'), -42);
    assert.equal(exactInteger('20.0'), 20);
    assert.equal(exactInteger('1.5e1'), 15);
    assert.equal(exactInteger('1500E-2'), 15);
    assert.equal(exactInteger('1e20'), 100_000_000_000_000_000_000n);
    assert.equal(exactInteger('9007199254740993'), 9_007_199_254_740_993n);
    assert.equal(exactInteger('9007199254740993.0'), 9_007_199_254_740_993n);
    assert.equal(exactInteger('0e999999999'), 0);
  });

  it('is never minus zero', () => {
    assert.ok(Object.is(exactInteger('-0'), 0));
  });

  it('knows what is no integer', () => {
    for (const text of [
      '',
      '-',
      '1.5',
      '9007199254740992.5',
      '1e-1',
      '+1',
      ' 1',
      '0x1',
      '1n',
      'a',
    ]) {
      assert.equal(exactInteger(text), null, JSON.stringify(text));
    }
  });

  it('does not let anyone ask for a huge one', () => {
    assert.equal(exactInteger('9'.repeat(38)), BigInt('9'.repeat(38)));
    assert.equal(exactInteger('9'.repeat(39)), null);
    assert.equal(exactInteger('1e38'), null);
    assert.equal(exactInteger('1e999999999'), null);
    assert.equal(exactInteger('1e-999999999'), null);
  });

  it('takes no time over long texts', () => {
    assert.equal(exactInteger(`1${'0'.repeat(1_000_000)}1`), null);
    assert.equal(exactInteger(`${'0'.repeat(98)}42`), 42);
    assert.equal(exactInteger(`${'0'.repeat(99)}42`), null);
  });

  it('is exact, and a bigint only beyond 2^53', () => {
    const limit = 10n ** 34n;
    fc.assert(
      fc.property(fc.bigInt({ min: -limit, max: limit }), fc.nat({ max: 3 }), (value, shift) => {
        const shifted = `${value}${'0'.repeat(shift)}e-${shift}`;
        for (const text of [String(value), shifted, `${value}.${'0'.repeat(shift + 1)}`]) {
          const integer = exactInteger(text);
          assert.ok(integer !== null);
          assert.equal(BigInt(integer), value);
          assert.equal(typeof integer === 'number', Number.isSafeInteger(Number(value)));
        }
      }),
    );
  });
});
