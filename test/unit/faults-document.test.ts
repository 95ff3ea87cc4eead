import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const root = new URL('../../', import.meta.url);
const text = readFileSync(new URL('docs/faults.md', root), 'utf8');
const rows = text.split('\n').filter((line) => line.startsWith('| '));
const named = rows.flatMap((line) => {
  const [, path = '', name = ''] = / `(test\/[^`]+)`: (.+) \|$/.exec(line) ?? [];
  return path === '' ? [] : [{ path, name }];
});

test('every test that docs/faults.md names is there', () => {
  assert.ok(named.length > 20, 'the table is not where it was');
  for (const { path, name } of named) {
    const file = new URL(path, root);
    assert.ok(existsSync(file), `${path} is not there`);
    const source = readFileSync(file, 'utf8');
    const isNamed = ["'", '"', '`'].some((quote) =>
      source.includes(`${quote}${name.replaceAll(quote, `\\${quote}`)}${quote}`),
    );
    // The scripts have their scenarios as methods.
    assert.ok(isNamed || source.includes(`async ${name}(`), `${path} has no test "${name}"`);
  }
});

test('every fault has a test', () => {
  const faults = rows.filter((line) => line.split(' | ').length === 3);
  for (const fault of faults) assert.match(fault, / `test\/|^\| (fault|---) /);
});
