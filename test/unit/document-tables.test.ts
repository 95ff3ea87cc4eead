import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { documentTables, withTable } from '../../scripts/document-tables.ts';

for (const entry of documentTables) {
  test(`${entry.document} and the code have the same ${entry.what ?? 'table'} of ${entry.name}`, () => {
    const text = readFileSync(new URL(`../../${entry.document}`, import.meta.url), 'utf8');
    // Equal as a whole: nothing undocumented, and nothing documented that is not there.
    assert.equal(text, withTable(text, entry), 'run: node scripts/document-tables.ts');
  });
}

test('a document that has lost its place for the table is noticed', () => {
  const [entry] = documentTables;
  assert.ok(entry);
  assert.throws(() => withTable('# Configuration\n', entry), /lacks/);
});
