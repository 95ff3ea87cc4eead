import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptMessages, Messages, type Shown } from '../../../src/console/messages.ts';

test('the newest stand first, and no more than are kept', () => {
  const messages = new Messages();
  for (let index = 0; index < 3 * keptMessages + 7; index++) messages.add(message(index));
  messages.refresh();
  assert.equal(messages.shown.length, keptMessages);
  assert.equal(messages.shown[0]?.place, String(3 * keptMessages + 6));
});

test('a list that is held stays as it is, and counts what comes', () => {
  const messages = new Messages();
  messages.add(message(1));
  messages.refresh();
  messages.held = true;
  messages.add(message(2));
  messages.add(message(3));
  messages.refresh();
  assert.deepEqual(places(messages), ['1']);
  assert.equal(messages.waiting, 2);
  messages.held = false;
  assert.deepEqual(places(messages), ['3', '2', '1']);
  assert.equal(messages.waiting, 0);
});

function places({ shown }: Messages): string[] {
  return shown.map(({ place }) => place);
}

function message(index: number): Shown {
  return {
    place: String(index),
    timestamp: '2026-11-23T17:00:00.000Z',
    title: 'e',
    hint: 'e',
    late: false,
    omitted: 0,
    cursor: 'c',
    error: undefined,
    leaves: () => [],
    detail: () => '{}',
    facts: [],
  };
}
