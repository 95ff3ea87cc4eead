import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namedTest, problemOf, tableRows } from '../support/named-tests.ts';

const rows = tableRows('docs/faults.md');

test('every test that docs/faults.md names is there', () => {
  const named = rows.flatMap((row) => namedTest(row) ?? []);
  assert.ok(named.length > 20, 'the table is not where it was');
  for (const one of named) assert.equal(problemOf(one), undefined);
});

test('every fault has a test', () => {
  const faults = rows.filter((row) => row.split(' | ').length === 3);
  for (const fault of faults) assert.ok(namedTest(fault), fault);
});
