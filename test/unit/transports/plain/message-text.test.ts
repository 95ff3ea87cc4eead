import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isObjectType } from 'graphql';
import { MillraceError } from '../../../../src/core/errors.ts';
import { DeadLetterMessage, EventBatch, EventMessage } from '../../../../src/hub/message.ts';
import { createSchema } from '../../../../src/transports/graphql/schema.ts';
import { errorText, messageText, typeOf } from '../../../../src/transports/plain/message-text.ts';
import { nowhere } from '../../../support/parcels.ts';
import { sketched } from '../../../support/events.ts';

const event = new EventMessage(
  'a "topic"',
  sketched({ offset: 9, at: 1_700_000_000_123 }),
  true,
  nowhere,
  3,
);
const deadLetter = new DeadLetterMessage(
  'purchases',
  {
    kind: 'deadLetter',
    event: '{"a"',
    error: 'broken',
    source: 'UPSTREAM',
    partition: 3,
    offset: 2 ** 53 - 1,
    recordedAtMs: 1_700_000_000_123,
  },
  nowhere,
);
const protocol = readFileSync(new URL('../../../../PROTOCOL.md', import.meta.url), 'utf8');

function parsed(message: EventMessage | DeadLetterMessage): Record<string, unknown> {
  return JSON.parse(messageText(message).toString());
}

test('an event and a dead letter say all that they are', () => {
  assert.deepEqual(parsed(event), {
    type: 'event',
    event: {
      id: null,
      topic: 'a "topic"',
      timestamp: '2023-11-14T22:13:20.123Z',
      sequence: null,
      payload: {},
      partition: 0,
      offset: '9',
      recordedAt: '2023-11-14T22:13:20.123Z',
      late: true,
      omitted: 3,
      cursor: 'cursor',
    },
  });
  assert.deepEqual(parsed(deadLetter), {
    type: 'deadLetter',
    deadLetter: {
      event: '{"a"',
      error: 'broken',
      source: 'UPSTREAM',
      topic: 'purchases',
      partition: 3,
      offset: '9007199254740991',
      recordedAt: '2023-11-14T22:13:20.123Z',
      cursor: 'cursor',
    },
  });
});

test('the text of a message is made once', () => {
  assert.equal(messageText(event), messageText(event));
  assert.notEqual(messageText(event), messageText(deadLetter));
});

test('an error carries its details beside its code', () => {
  const error = new MillraceError('BAD_USER_INPUT', 'no', { argument: 'where' });
  assert.deepEqual(JSON.parse(errorText(error)), {
    type: 'error',
    code: 'BAD_USER_INPUT',
    message: 'no',
    argument: 'where',
  });
});

test('what plain feeds do not hold is a fault', () => {
  assert.throws(
    () => messageText(new EventBatch([], null, nowhere)),
    /events and dead letters only/,
  );
});

for (const [message, graphqlType] of [
  [event, 'Event'],
  [deadLetter, 'DeadLetter'],
] as const) {
  const type = typeOf(message);
  const fields = Object.keys(Object(parsed(message)[type]));

  test(`${type} has the fields of GraphQL's ${graphqlType} that need no arguments`, () => {
    const described = createSchema().getType(graphqlType);
    assert.ok(isObjectType(described));
    const expected = Object.values(described.getFields()).filter(({ args }) => args.length === 0);
    assert.deepEqual(fields.toSorted(), expected.map(({ name }) => name).toSorted());
  });

  test(`PROTOCOL.md has the fields of ${type}`, () => {
    const [, table = ''] = protocol.split(new RegExp(`\\n\\*\\*\`${type}\`\\*\\*[^|]*`));
    const [rows = ''] = table.split('\n\n');
    const column = rows
      .split('\n')
      .slice(2)
      .map((row) => row.split('|')[1]);
    const names = Array.from(column.join().matchAll(/`(\w+)`/g), ([, name = '']) => name);
    assert.deepEqual(names.toSorted(), fields.toSorted());
  });
}
