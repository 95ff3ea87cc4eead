import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExactly } from '../../../src/console/exact-json.ts';
import { leavesOf } from '../../../src/console/leaves.ts';

const beside = { id: 'e1', timestamp: '2026-11-25T17:08:35.157Z', sequence: '12' };

function shown(json: string): string[] {
  return leavesOf(parseExactly(json), beside).map(({ path, text }) => `${path}=${text}`);
}

test('a payload is shown by its paths, without the id and the time that stand beside it', () => {
  assert.deepEqual(
    shown(
      `{"keen":{"id":"e1","timestamp":"2026-11-25T18:08:35.157000+01:00","created_at":"2026-11-25T17:08:36Z"},
        "at":${Date.parse(beside.timestamp)},"sequence_number":12,"user":{"id":7,"email":"a@b.c"},"tags":["x",{"y":1}],"none":null,"empty":{},"ok":true}`,
    ),
    [
      'user.id=7',
      'user.email=a@b.c',
      'tags=["x",{"y":1}]',
      'none=null',
      'empty={}',
      'ok=true',
      'keen.created_at=2026-11-25T17:08:36Z',
      'sequence_number=12',
    ],
  );
});

test('numbers are shown with the digits that they came with', () => {
  assert.deepEqual(shown('{"n":12345678901234567890,"price":12.50,"list":[9007199254740993]}'), [
    'n=12345678901234567890',
    'price=12.50',
    'list=[9007199254740993]',
  ]);
  const text = '{"a":{"n":12345678901234567890,"price":12.50,"m":1}}';
  assert.equal(JSON.stringify(parseExactly(text)), text);
});

test('a payload that is no object has no path; a large one is cut', () => {
  assert.deepEqual(shown('"text"'), ['=text']);
  assert.deepEqual(shown('[1,2]'), ['=[1,2]']);
  const wide = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`p${index}`, 1]));
  assert.equal(shown(JSON.stringify(wide)).length, 16);
  assert.equal(shown(JSON.stringify({ a: 'x'.repeat(1_000) }))[0]?.length, 'a='.length + 81);
  const deep = `${'{"a":'.repeat(500)}1${'}'.repeat(500)}`;
  assert.match(shown(deep)[0] ?? '', /^a\.a\.a\.a\.a\.a=\{"a":/);
});
