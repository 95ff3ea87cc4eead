import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MillraceError } from '../../../src/core/errors.ts';
import { parseDelivery } from '../../../src/hub/delivery.ts';

test('nothing said is ALL', () => {
  for (const input of [undefined, null, {}, { mode: 'ALL' }]) {
    assert.deepEqual(parseDelivery(input), { mode: 'ALL' });
  }
});

test('what is not said has its default', () => {
  assert.deepEqual(parseDelivery({ mode: 'LATEST' }), { mode: 'LATEST', by: null, everyMs: 250 });
  assert.deepEqual(parseDelivery({ mode: 'LATEST', by: null, everyMs: null }), {
    mode: 'LATEST',
    by: null,
    everyMs: 250,
  });
  assert.deepEqual(parseDelivery({ mode: 'SAMPLE' }), { mode: 'SAMPLE', everyMs: 250 });
});

test('the least and the most are taken', () => {
  for (const everyMs of [10, 60_000]) {
    const by = 'x'.repeat(256);
    const given = { mode: 'LATEST', by, everyMs };
    assert.deepEqual(parseDelivery(given), given);
  }
});

test('what goes for another mode has no effect: the mode alone may be changed', () => {
  const rest = { by: 'user.id', everyMs: 100 };
  assert.deepEqual(parseDelivery({ mode: 'ALL', ...rest }), { mode: 'ALL' });
  assert.deepEqual(parseDelivery({ mode: 'SAMPLE', ...rest }), { mode: 'SAMPLE', everyMs: 100 });
});

const refused: readonly [input: unknown, message: RegExp][] = [
  ['LATEST', /`delivery` must be an object/],
  [[], /`delivery` must be an object/],
  [{ mode: 'NEWEST' }, /`delivery\.mode` must be one of ALL, LATEST, SAMPLE/],
  [{ mode: null }, /`delivery\.mode`/],
  [{ mode: 'LATEST', by: '' }, /`delivery\.by` must be a dotted path/],
  [{ mode: 'LATEST', by: 7 }, /`delivery\.by` must be a dotted path/],
  [{ mode: 'SAMPLE', by: 7 }, /`delivery\.by` must be a dotted path/],
  [{ mode: 'LATEST', by: 'x'.repeat(257) }, /257 characters; the limit is 256/],
  [
    { mode: 'LATEST', by: 'a..b' },
    /`delivery\.by` is "a\.\.b": expected names with one dot between/,
  ],
  [{ mode: 'SAMPLE', by: '.a' }, /`delivery\.by` is "\.a"/],
  [{ mode: 'LATEST', everyMs: 9 }, /`delivery\.everyMs` .* between 10 and 60000/],
  [{ mode: 'SAMPLE', everyMs: 60_001 }, /`delivery\.everyMs`/],
  [{ mode: 'ALL', everyMs: 0 }, /`delivery\.everyMs`/],
  [{ mode: 'SAMPLE', everyMs: 10.5 }, /`delivery\.everyMs` must be a whole number/],
  [{ mode: 'SAMPLE', everyMs: '250' }, /`delivery\.everyMs`/],
  [{ mode: 'LATEST', every: 250 }, /unknown key "every"; known are `mode`, `by`, `everyMs`/],
];

for (const [input, message] of refused) {
  test(`refused: ${JSON.stringify(input).slice(0, 60)}`, () => {
    assert.throws(
      () => parseDelivery(input),
      (error) => {
        assert.ok(error instanceof MillraceError);
        assert.equal(error.code, 'BAD_USER_INPUT');
        assert.equal(error.details.argument, 'delivery');
        assert.match(error.message, message);
        return true;
      },
    );
  });
}
