import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namedTest, problemOf, tableRows } from '../support/named-tests.ts';

/** Documents that promise something, and for each promise name the test that holds them to it. */
const documents = ['SECURITY.md'] as const;

for (const document of documents) {
  test(`every test that ${document} names is there`, () => {
    const rows = tableRows(document);
    assert.ok(rows.length > 20, 'the table is not where it was');
    for (const row of rows) {
      const named = namedTest(row);
      assert.ok(named, `without a test: ${row}`);
      assert.equal(problemOf(named), undefined);
    }
  });
}

test('a test that is not there is noticed', () => {
  const here = 'test/unit/named-tests.test.ts';
  const name = 'a test that is not there is noticed';
  assert.deepEqual(namedTest(`| a | b | \`${here}\`: ${name} |`), { path: here, name });
  assert.equal(problemOf({ path: here, name }), undefined);
  assert.match(problemOf({ path: here, name: ['another', 'one'].join() }) ?? '', /has no test/);
  assert.match(problemOf({ path: 'test/unit/none.test.ts', name }) ?? '', /is not there/);
});
