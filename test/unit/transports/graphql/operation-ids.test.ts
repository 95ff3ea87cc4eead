import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperationIds } from '../../../../src/transports/graphql/operation-ids.ts';

test("a client's id that is used again gets another id of ours", () => {
  const ids = new OperationIds();
  const first = ids.open('1') ?? '';
  assert.equal(ids.open('1'), undefined, 'still in use');
  assert.equal(ids.closeByClient('1'), first);
  const second = ids.open('1') ?? '';
  assert.notEqual(second, first);
  assert.equal(ids.clientIdOf(first), undefined);
  assert.equal(ids.clientIdOf(second), '1');
});

test('the end of a former operation does not end the one that took over its id', () => {
  const ids = new OperationIds();
  const first = ids.open('1') ?? '';
  ids.closeByClient('1');
  const second = ids.open('1') ?? '';
  assert.equal(ids.closeByServer(first), undefined);
  assert.equal(ids.clientIdOf(second), '1');
  assert.equal(ids.closeByServer(second), '1');
  assert.equal(ids.clientIdOf(second), undefined);
});
