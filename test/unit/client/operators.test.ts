import assert from 'node:assert/strict';
import { test } from 'node:test';
import { operators } from '../../../src/client/operators.ts';
import { filterOperators } from '../../../src/decode/property-filter.ts';

test('the client knows the operators that the server does', () => {
  assert.deepEqual(operators, filterOperators);
});
