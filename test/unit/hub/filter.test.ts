import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { MillraceError } from '../../../src/core/errors.ts';
import type { JsonValue } from '../../../src/core/json.ts';
import {
  type FilterOperator,
  filterLimits,
  filterOperators,
  parseFilter,
} from '../../../src/decode/property-filter.ts';
import { compileFilter } from '../../../src/hub/filter.ts';

/** Whether `payload.p` passes one condition, on the way that conditions take from outside. */
function passes(p: unknown, operator: FilterOperator, value?: unknown): boolean {
  const payload = p === undefined ? {} : { p };
  return compileFilter(parseFilter([{ property: 'p', operator, value }]))(payload);
}

const json = fc.jsonValue({ maxDepth: 3 }).filter((value) => !hasUnsafeNumber(value));

function hasUnsafeNumber(value: unknown): boolean {
  if (typeof value === 'number') return Math.abs(value) > Number.MAX_SAFE_INTEGER;
  return typeof value === 'object' && value !== null && Object.values(value).some(hasUnsafeNumber);
}

/** The same value, the keys of its objects the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toReversed();
  return Object.fromEntries(entries.map(([key, member]) => [key, reversed(member)]));
}

/** Which of the four orders hold. */
function outcomes(actual: unknown, value: unknown): string {
  return (['GT', 'GTE', 'LT', 'LTE'] as const)
    .filter((operator) => passes(actual, operator, value))
    .join(' ');
}

describe('operators', () => {
  it('EQ compares by type, deep, regardless of the order of keys', () => {
    assert.ok(passes('a', 'EQ', 'a'));
    assert.ok(passes(7, 'EQ', 7));
    assert.ok(passes(-0, 'EQ', 0));
    assert.ok(passes(null, 'EQ', null));
    assert.ok(passes({ a: [1, { b: 2 }], c: 3 }, 'EQ', { c: 3, a: [1, { b: 2 }] }));
    for (const [actual, value] of [
      [undefined, null],
      ['7', 7],
      [7, '7'],
      [null, false],
      [0, false],
      ['', null],
      ['A', 'a'],
      [
        [1, 2],
        [2, 1],
      ],
      [[1], [1, 2]],
      [[], {}],
      [['a'], { 0: 'a' }],
      [{ a: 1 }, {}],
      [{}, { a: 1 }],
      [{ a: 1 }, { b: 1 }],
      [{}, { toString: null }],
      [{ a: 1 }, JSON.parse('{"__proto__":{}}')],
      [{}, null],
    ]) {
      assert.equal(passes(actual, 'EQ', value), false, JSON.stringify([actual, value]));
      assert.equal(passes(actual, 'NE', value), true, JSON.stringify([actual, value]));
    }
  });

  it('GT, GTE, LT and LTE order numbers and strings, each among themselves', () => {
    assert.equal(outcomes(2, 10), 'LT LTE');
    assert.equal(outcomes(10, 10), 'GTE LTE');
    assert.equal(outcomes(10.5, 10), 'GT GTE');
    assert.equal(outcomes('2', '10'), 'GT GTE');
    assert.equal(outcomes('a', 'a'), 'GTE LTE');
    assert.equal(outcomes('', 'a'), 'LT LTE');
    assert.equal(outcomes('ab', 'a'), 'GT GTE');
    assert.equal(outcomes('Z', 'a'), 'LT LTE');
    assert.equal(outcomes('2026-11-23T17:00:00Z', '2026-11-23'), 'GT GTE');
    for (const actual of [undefined, null, true, [], {}, [11]]) {
      assert.equal(outcomes(actual, 10), '');
      assert.equal(outcomes(actual, '10'), '');
    }
    assert.equal(outcomes('11', 10), '');
    assert.equal(outcomes(11, '10'), '');
  });

  it('IN finds one of a list', () => {
    assert.ok(passes('b', 'IN', ['a', 'b']));
    assert.ok(passes(null, 'IN', [null]));
    assert.ok(passes(-0, 'IN', [0]));
    assert.equal(passes(1, 'IN', ['1', true]), false);
    assert.equal(passes(undefined, 'IN', [null]), false);
    assert.equal(passes(['a'], 'IN', ['a']), false);
  });

  it('EXISTS tells what is there, null included', () => {
    assert.ok(passes(null, 'EXISTS'));
    assert.ok(passes('', 'EXISTS', true));
    assert.ok(passes(undefined, 'EXISTS', false));
    assert.equal(passes(undefined, 'EXISTS'), false);
    assert.equal(passes(null, 'EXISTS', false), false);
  });

  it('CONTAINS finds elements of arrays and parts of strings', () => {
    assert.ok(passes(['a', { b: 1 }], 'CONTAINS', { b: 1 }));
    assert.ok(passes([null], 'CONTAINS', null));
    assert.ok(passes('purchase', 'CONTAINS', 'chas'));
    assert.ok(passes('', 'CONTAINS', ''));
    for (const [actual, value] of [
      [['abc'], 'b'],
      [[1], '1'],
      [[], null],
      ['1', 1],
      ['null', null],
      [{ a: 1 }, 'a'],
      [undefined, ''],
    ]) {
      assert.equal(passes(actual, 'CONTAINS', value), false, JSON.stringify([actual, value]));
    }
  });

  it('STARTS_WITH looks at the beginning of strings', () => {
    assert.ok(passes('purchase', 'STARTS_WITH', 'pur'));
    assert.ok(passes('', 'STARTS_WITH', ''));
    assert.equal(passes('purchase', 'STARTS_WITH', 'chase'), false);
    assert.equal(passes(['pur'], 'STARTS_WITH', 'pur'), false);
    assert.equal(passes(undefined, 'STARTS_WITH', ''), false);
  });

  it('EQ holds for every value and itself, NE is its opposite', () => {
    fc.assert(
      fc.property(json, json, (one, other) => {
        assert.ok(passes(one, 'EQ', reversed(one)));
        assert.equal(passes(one, 'NE', one), false);
        assert.equal(passes(one, 'NE', other), !passes(one, 'EQ', other));
        assert.equal(passes(one, 'EQ', other), passes(other, 'EQ', one));
        assert.equal(passes([other, one], 'CONTAINS', one), true);
      }),
    );
  });

  it('order strings by code point', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', '\uD7FF', '\uE000', '\uFFFF', '😀', '\u{10FFFF}'),
    });
    fc.assert(
      fc.property(text, text, (one, other) => {
        // The order of bytes in UTF-8 is that of code points.
        const order = Buffer.compare(Buffer.from(one), Buffer.from(other));
        assert.equal(passes(one, 'LT', other), order < 0);
        assert.equal(passes(one, 'LTE', other), order <= 0);
        assert.equal(passes(one, 'GT', other), order > 0);
        assert.equal(passes(one, 'GTE', other), order >= 0);
      }),
      { numRuns: 500 },
    );
  });

  it('compare exactly with integers of any size in the payload', () => {
    const limit = 2n ** 53n - 1n;
    const near = fc.bigInt({ min: limit - 3n, max: limit + 3n });
    fc.assert(
      fc.property(near, fc.bigInt({ min: limit - 3n, max: limit }), (actual, value) => {
        const p: unknown = JSON.parse(String(actual));
        assert.equal(passes(p, 'EQ', Number(value)), actual === value);
        assert.equal(passes(p, 'GT', Number(value)), actual > value);
        assert.equal(passes(p, 'LTE', Number(value)), actual <= value);
      }),
    );
  });
});

describe('a filter', () => {
  const payload: unknown = JSON.parse(
    '{"user":{"id":7,"name":"Ann"},"items":[{"sku":"x"}],"a.b":1,"__proto__":{"own":true}}',
  );
  const check = (...where: unknown[]): boolean => compileFilter(parseFilter(where))(payload);

  it('needs all of its conditions', () => {
    const yes = { property: 'user.id', value: 7 };
    const no = { property: 'user.name', operator: 'EQ', value: 'Bob' };
    assert.ok(check());
    assert.ok(check(yes, yes));
    assert.equal(check(yes, no), false);
    assert.equal(check(no, yes), false);
  });

  it('finds properties by dotted path', () => {
    assert.ok(check({ property: 'items.0.sku', value: 'x' }));
    assert.ok(check({ property: 'a\\.b', value: 1 }));
    assert.ok(check({ property: 'a.b', operator: 'EXISTS', value: false }));
    assert.ok(check({ property: '__proto__.own', value: true }));
    assert.ok(check({ property: 'own', operator: 'EXISTS', value: false }));
    assert.ok(check({ property: 'constructor', operator: 'EXISTS', value: false }));
    assert.ok(check({ property: 'items.length', operator: 'EXISTS', value: false }));
  });

  it('takes any payload', () => {
    const where = parseFilter([{ property: 'a.b', operator: 'NE', value: 1 }]);
    for (const payload of [null, 1, 'text', true, [], [[]]]) {
      assert.ok(compileFilter(where)(payload));
    }
  });

  it('is no deeper than its value on payloads of any depth', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
    assert.equal(passes(deep, 'EQ', [[[]]]), false);
    assert.equal(passes(deep, 'CONTAINS', [[[]]]), false);
  });
});

function refused(input: unknown, message: RegExp, argument?: string): void {
  assert.throws(
    () => parseFilter(input, argument),
    (error) => {
      assert.ok(error instanceof MillraceError);
      assert.equal(error.code, 'BAD_USER_INPUT');
      assert.equal(error.details.argument, argument ?? 'where');
      assert.match(error.message, message);
      return true;
    },
  );
}

describe('parseFilter', () => {
  it('answers plain conditions, EQ where no operator is named', () => {
    assert.deepEqual(parseFilter(undefined), []);
    assert.deepEqual(parseFilter(null), []);
    assert.deepEqual(parseFilter([]), []);
    assert.deepEqual(
      parseFilter([
        { property: 'a', value: [1, { b: null }] },
        { property: 'b', operator: 'EXISTS' },
        Object.assign(Object.create(null), { property: 'c', operator: 'GT', value: 1 }),
      ]),
      [
        { property: 'a', operator: 'EQ', value: [1, { b: null }] },
        { property: 'b', operator: 'EXISTS' },
        { property: 'c', operator: 'GT', value: 1 },
      ],
    );
  });

  it('refuses what is no list of conditions, and says where', () => {
    refused({ property: 'a', value: 1 }, /`where` must be a list/);
    refused('[]', /`filter` must be a list/, 'filter');
    refused([{ property: 'a', value: 1 }, 7], /`where\[1\]` must be an object/);
    refused([null], /`where\[0\]` must be an object/);
    refused([{ value: 1 }], /needs a `property`/);
    refused([{ property: '', value: 1 }], /needs a `property`/);
    refused([{ property: ['a'], value: 1 }], /needs a `property`/);
    for (const property of ['.', 'a..b', '.a', 'a.']) {
      refused([{ property, value: 1 }], /`where\[0\]` has the `property` ".*": .*such as user\.id/);
    }
    refused([{ property: 'a', op: 'EQ', value: 1 }], /unknown key "op"/);
    refused([{ property: 'a', operator: 'eq', value: 1 }], /unknown `operator`; known are EQ, NE/);
    refused([{ property: 'a', operator: 'toString', value: 1 }], /unknown `operator`/);
    refused([JSON.parse('{"__proto__":{"property":"a"},"value":1}')], /unknown key "__proto__"/);
    refused([Object.create({ property: 'a', value: 1 })], /needs a `property`/);
  });

  it('refuses a value that its operator cannot use', () => {
    for (const operator of filterOperators) {
      if (operator === 'EXISTS') continue;
      refused([{ property: 'a', operator }], new RegExp(`needs a \`value\` for ${operator}`));
    }
    for (const operator of ['GT', 'GTE', 'LT', 'LTE']) {
      for (const value of [null, true, [], {}]) {
        refused([{ property: 'a', operator, value }], /needs a number or a string/);
      }
    }
    refused([{ property: 'a', operator: 'EXISTS', value: null }], /true or false/);
    refused([{ property: 'a', operator: 'STARTS_WITH', value: 1 }], /needs a string/);
    refused([{ property: 'a', operator: 'IN', value: 1 }], /needs a list/);
    refused([{ property: 'a', operator: 'IN', value: [] }], /needs a list of one or more/);
    refused([{ property: 'a', operator: 'IN', value: [[1]] }], /may list/);
  });

  it('refuses numbers that cannot be compared exactly', () => {
    for (const value of [2 ** 53, -(2 ** 53), 1e300, 2n ** 60n, 1n]) {
      refused([{ property: 'a', value }], /beyond 2\^53/);
      refused([{ property: 'a', value: { deep: [value] } }], /beyond 2\^53/);
    }
    refused([{ property: 'a', value: Number.NaN }], /cannot be compared/);
    refused([{ property: 'a', value: Number.POSITIVE_INFINITY }], /beyond 2\^53/);
  });

  it('refuses what is no JSON', () => {
    for (const value of [() => 1, Symbol('s'), [undefined]]) {
      refused([{ property: 'a', value }], /needs a JSON value/);
    }
  });

  it('keeps to its limits', () => {
    const condition = { property: 'a', value: 1 };
    const text = 'x'.repeat(filterLimits.textLength);
    const list = Array.from({ length: filterLimits.valueParts }, () => 0);
    let nested: JsonValue = 1;
    for (let depth = 0; depth < filterLimits.valueDepth; depth += 1) nested = [nested];

    parseFilter(Array.from({ length: filterLimits.conditions }, () => condition));
    refused(
      Array.from({ length: filterLimits.conditions + 1 }, () => condition),
      /33 conditions; the limit is 32/,
    );
    parseFilter([{ property: 'p'.repeat(filterLimits.propertyLength), value: 1 }]);
    refused([{ property: 'p'.repeat(257), value: 1 }], /257 characters; the limit is 256/);
    parseFilter([{ property: 'a', value: text }]);
    refused([{ property: 'a', value: `${text}x` }], /4097 characters/);
    refused([{ property: 'a', value: { [`${text}x`]: 1 } }], /4097 characters/);
    parseFilter([{ property: 'a', operator: 'IN', value: list }]);
    refused([{ property: 'a', operator: 'IN', value: [...list, 0] }], /more than 1000 parts/);
    parseFilter([{ property: 'a', value: nested }]);
    refused([{ property: 'a', value: [nested] }], /deeper than 32/);
  });

  it('answers or refuses anything, and whatever it answers can be compiled', () => {
    const condition = fc.record(
      {
        property: fc.oneof(fc.string(), fc.anything()),
        operator: fc.oneof(fc.constantFrom(...filterOperators), fc.anything()),
        value: fc.oneof(json, fc.anything()),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.array(condition), fc.anything()), json, (input, payload) => {
        try {
          assert.equal(typeof compileFilter(parseFilter(input))(payload), 'boolean');
        } catch (error) {
          assert.ok(error instanceof MillraceError);
          assert.ok(error.message.length < 300);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
