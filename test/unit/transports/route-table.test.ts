import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RouteTable } from '../../../src/transports/route-table.ts';

const table = new RouteTable([
  ['/graphql', 'graphql'],
  ['/feeds/{topic}', 'events'],
  ['/feeds/{topic}/dead-letters', 'dead letters'],
]);

test('a path is found as it is written, and by pattern with what stands in its places', () => {
  assert.deepEqual(table.find('/graphql'), { served: 'graphql', segments: [] });
  assert.deepEqual(table.find('/feeds/a%2Fb'), { served: 'events', segments: ['a%2Fb'] });
  assert.deepEqual(table.find('/feeds/x/dead-letters'), {
    served: 'dead letters',
    segments: ['x'],
  });
  assert.deepEqual(table.find('/feeds/dead-letters'), {
    served: 'events',
    segments: ['dead-letters'],
  });
});

test('nothing else is found', () => {
  for (const path of [
    '/',
    '',
    '/graphql/',
    '/feeds',
    '/feeds/',
    '/feeds//dead-letters',
    '/feeds/a/b',
  ]) {
    assert.equal(table.find(path), undefined, path);
  }
});

test('it tells its patterns', () => {
  assert.deepEqual(table.patterns, ['/graphql', '/feeds/{topic}', '/feeds/{topic}/dead-letters']);
});
