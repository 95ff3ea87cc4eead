import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'graphql';
import { type Selection, selectionOf } from '../../../src/console/selection.ts';
import { snippets } from '../../../src/console/snippets.ts';

const origin = 'http://127.0.0.1:4000';
const selection: Selection = {
  ...selectionOf('purchases'),
  order: 'ARRIVAL',
  deduplicate: false,
  mode: 'LATEST',
  by: 'user.id',
  where: [
    { property: 'user.country', operator: 'EQ', value: "D'E" },
    { property: 'amount', operator: 'GTE', value: '100' },
    { property: ' ', operator: 'EQ', value: '' },
  ],
};

test('the GraphQL snippet is a document that says what was chosen', () => {
  const [graphql] = snippets(selection, 'acme', origin);
  const text = graphql?.text ?? '';
  parse(text);
  assert.ok(
    text.includes(
      'events(topic: "purchases", order: ARRIVAL, deduplicate: false, where: [{ property: "user.country", operator: EQ, value: "D\'E" }, { property: "amount", operator: GTE, value: 100 }], delivery: { mode: LATEST, by: "user.id", everyMs: 1000 })',
    ),
    text,
  );
});

test('the curl snippet asks for the same, and holds no key', () => {
  const text = snippets(selection, 'acme', origin)[2]?.text ?? '';
  const url = /'(http[^']*)'/.exec(text)?.[1] ?? '';
  const { pathname, searchParams } = new URL(url);
  assert.equal(pathname, '/feeds/purchases');
  assert.deepEqual(JSON.parse(searchParams.get('where') ?? ''), [
    { property: 'user.country', operator: 'EQ', value: "D'E" },
    { property: 'amount', operator: 'GTE', value: 100 },
  ]);
  assert.match(text, /-u 'acme:KEY'/);
});

test('dead letters are asked for by their own names', () => {
  const texts = snippets({ ...selection, kind: 'deadLetters' }, 'acme', origin).map(
    ({ text }) => text,
  );
  assert.match(texts[0] ?? '', /deadLetters\(topic: "purchases"\)/);
  assert.match(texts[1] ?? '', /client\.deadLetters\(/);
  assert.match(texts[2] ?? '', /\/feeds\/purchases\/dead-letters'/);
});
