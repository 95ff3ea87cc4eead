import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { arrayIndex, parsePath, pathProblem, valueAt } from '../../../src/decode/path.ts';

describe('parsePath', () => {
  it('separates at every dot', () => {
    assert.deepEqual(parsePath('keen.id'), ['keen', 'id']);
    assert.deepEqual(parsePath('id'), ['id']);
    assert.deepEqual(parsePath('a..b.'), ['a', '', 'b', '']);
    assert.deepEqual(parsePath(''), ['']);
  });

  it('takes a dot or a backslash behind a backslash literally', () => {
    assert.deepEqual(parsePath('keen\\.id'), ['keen.id']);
    assert.deepEqual(parsePath('a\\\\.b'), ['a\\', 'b']);
    assert.deepEqual(parsePath('a\\b\\'), ['a\\b\\']);
  });

  it('can write every path', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom('a', '.', '\\', '😀') }), { minLength: 1 }),
        (path) => {
          const dotted = path.map((key) => key.replaceAll(/[.\\]/g, '\\$&')).join('.');
          assert.deepEqual(parsePath(dotted), path);
        },
      ),
    );
  });
});

describe('pathProblem', () => {
  it('refuses paths of which a name is empty, and says what one looks like', () => {
    for (const path of ['', '.', 'a..b', '.a', 'a.', 'a\\..', '..']) {
      assert.match(pathProblem(path) ?? '', /user\.id/, path);
    }
  });

  it('takes every other', () => {
    for (const path of ['a', 'a.b', 'a\\.b', 'a\\.', '\\.', 'items.0.sku', ' ', '__proto__']) {
      assert.equal(pathProblem(path), undefined, path);
    }
  });
});

describe('valueAt', () => {
  const payload: unknown = JSON.parse(
    '{"keen":{"id":"x"},"keen.id":"flat","items":[{"name":"n"},null],"text":"abc","none":null}',
  );

  it('walks objects and arrays', () => {
    assert.equal(valueAt(payload, ['keen', 'id']), 'x');
    assert.equal(valueAt(payload, ['keen.id']), 'flat');
    assert.equal(valueAt(payload, ['items', '0', 'name']), 'n');
    assert.equal(valueAt(payload, ['items', '1']), null);
    assert.equal(valueAt(payload, []), payload);
  });

  it('finds nothing where there is nothing', () => {
    for (const path of [
      ['missing'],
      ['keen', 'id', 'deeper'],
      ['none', 'deeper'],
      ['items', '2'],
      ['items', '00'],
      ['items', '-1'],
      ['items', 'length'],
      ['text', '0'],
      ['text', 'length'],
    ]) {
      assert.equal(valueAt(payload, path), undefined, path.join('.'));
    }
  });

  it('sees own properties only, whatever they are called', () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    for (const name of names) {
      assert.equal(valueAt({}, [name]), undefined);
      assert.equal(valueAt([], [name]), undefined);
      assert.equal(valueAt(JSON.parse(`{${JSON.stringify(name)}:7}`), [name]), 7);
    }
    assert.equal(valueAt({}, ['constructor', 'prototype']), undefined);
    assert.equal(valueAt(JSON.parse('{"__proto__":{"id":7}}'), ['id']), undefined);
  });
});

describe('arrayIndex', () => {
  it('knows indices by the one way to write them', () => {
    assert.equal(arrayIndex('0'), 0);
    assert.equal(arrayIndex('10'), 10);
    for (const text of ['', '-0', '-1', '01', '1.5', '1e3', ' 1', '0x1', 'Infinity', 'NaN']) {
      assert.equal(arrayIndex(text), -1, JSON.stringify(text));
    }
  });
});
