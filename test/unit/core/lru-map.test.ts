import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LruMap } from '../../../src/core/lru-map.ts';

function mapOf(bounds: { maxSize?: number; maxWeight?: number }): LruMap<string, string> {
  return new LruMap({
    maxSize: Number.POSITIVE_INFINITY,
    maxWeight: Number.POSITIVE_INFINITY,
    weightOf: (key) => key.length,
    ...bounds,
  });
}

test('over its size it forgets what was used longest ago', () => {
  const map = mapOf({ maxSize: 2 });
  map.set('a', 'A');
  map.set('b', 'B');
  assert.equal(map.get('a'), 'A');
  map.set('c', 'C');
  assert.deepEqual(
    ['a', 'b', 'c'].map((key) => map.get(key)),
    ['A', undefined, 'C'],
  );
});

test('over its weight it forgets as many as it takes', () => {
  const map = mapOf({ maxWeight: 10 });
  for (const key of ['aaa', 'bbb', 'ccc']) map.set(key, key);
  map.set('dddddd', 'd');
  assert.deepEqual(
    ['aaa', 'bbb', 'ccc', 'dddddd'].map((key) => map.get(key)),
    [undefined, undefined, 'ccc', 'd'],
  );
});

test('an entry that is set again weighs once, and one that is too heavy is not kept', () => {
  const map = mapOf({ maxWeight: 10 });
  for (let i = 0; i < 5; i += 1) map.set('aaaa', String(i));
  map.set('bbbb', 'b');
  assert.deepEqual([map.get('aaaa'), map.get('bbbb')], ['4', 'b']);
  map.set('c'.repeat(11), 'c');
  assert.equal(map.size, 0);
});
