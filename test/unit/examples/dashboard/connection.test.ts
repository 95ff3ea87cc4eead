import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connectionOf } from '../../../../examples/dashboard/app/connection.ts';
import { FeedError } from '../../../../src/client/feed-error.ts';
import type { FeedState } from '../../../../src/client/types.ts';

const live: FeedState = { name: 'live' };
const catchingUp: FeedState = { name: 'catching-up' };
const first: FeedState = { name: 'connecting', attempt: 1 };
const again: FeedState = { name: 'connecting', attempt: 2 };
const error = new FeedError('CONNECTION_LOST', 'it broke');
const waiting: FeedState = { name: 'waiting', reason: error, untilMs: 1 };
const closed: FeedState = { name: 'closed', code: error.code, error };

test('only those are lost that are not back, and how many is told', () => {
  const why = 'it broke';
  for (const [states, connection] of [
    [[waiting, waiting, again], { name: 'lost', feeds: 3, lost: 3, why }],
    [[waiting, live, again], { name: 'lost', feeds: 3, lost: 2, why }],
    [[live, again, catchingUp], { name: 'lost', feeds: 3, lost: 1, why: '' }],
    [[live, live, catchingUp], { name: 'catching-up' }],
    [[live, live, live], { name: 'live' }],
  ] as const) {
    assert.deepEqual(connectionOf(states), connection);
  }
});

test('what connects for the first time is not lost', () => {
  assert.deepEqual(connectionOf([first, live, catchingUp]), { name: 'connecting' });
});

test('one that is closed for good is told before all others', () => {
  const connection = connectionOf([waiting, live, closed]);
  assert.deepEqual(connection, { name: 'closed', code: 'CONNECTION_LOST' });
});
