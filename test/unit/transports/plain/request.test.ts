import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MillraceError } from '../../../../src/core/errors.ts';
import type { FeedKind } from '../../../../src/transports/plain/protocol.ts';
import { parseFeedRequest } from '../../../../src/transports/plain/request.ts';

function parse(query: string, holds: FeedKind = 'events', topic = 'purchases') {
  return parseFeedRequest({ holds, topic, query });
}

test('without parameters there are the defaults of the GraphQL subscriptions', () => {
  assert.deepEqual(parse(''), {
    holds: 'events',
    topic: 'purchases',
    order: undefined,
    deduplicate: true,
    where: [],
    delivery: { mode: 'ALL' },
    sinceMs: undefined,
    after: undefined,
  });
  assert.deepEqual(parse('', 'deadLetters'), {
    holds: 'deadLetters',
    topic: 'purchases',
    sinceMs: undefined,
    after: undefined,
  });
});

test('all parameters are read', () => {
  const where = [{ property: 'a.b', operator: 'EQ', value: '& +=' }];
  const delivery = { mode: 'LATEST', by: 'a.b', everyMs: 100 };
  const query = new URLSearchParams({
    order: 'SEQUENCE',
    deduplicate: 'false',
    where: JSON.stringify(where),
    delivery: JSON.stringify(delivery),
    since: '2026-11-23T18:00:00+01:00',
  });
  assert.deepEqual(parse(query.toString(), 'events', 'a%2Fb%20%C3%BC'), {
    holds: 'events',
    topic: 'a/b ü',
    order: 'SEQUENCE',
    deduplicate: false,
    where,
    delivery,
    sinceMs: Date.parse('2026-11-23T17:00:00Z'),
    after: undefined,
  });
  const since = 'since=2026-11-23T17:00:00.000999Z';
  assert.deepEqual(parse(since, 'deadLetters'), {
    holds: 'deadLetters',
    topic: 'purchases',
    sinceMs: Date.parse('2026-11-23T17:00:00Z'),
    after: undefined,
  });
});

const refused: readonly [query: string, argument: string, message: RegExp, kind?: FeedKind][] = [
  [
    'ordr=ARRIVAL',
    'ordr',
    /"ordr"; known are order, deduplicate, where, delivery, after, since, token$/,
  ],
  ['order=ARRIVAL&sinc=x&wher=y', 'sinc', /"sinc", "wher"; known are/],
  ['order=ARRIVAL', 'order', /"order"; known are after, since, token$/, 'deadLetters'],
  ['topic=signups', 'topic', /unknown parameter "topic"/],
  [`${'x'.repeat(5_000)}=1`, `${'x'.repeat(40)}…`, /^.{1,200}$/],
  ['order=arrival', 'order', /ARRIVAL, TIMESTAMP, SEQUENCE/],
  ['order=', 'order', /ARRIVAL, TIMESTAMP, SEQUENCE/],
  ['order=ARRIVAL&order=ARRIVAL', 'order', /more than once/],
  ['deduplicate=1', 'deduplicate', /true, false/],
  ['where=a', 'where', /JSON, URL-encoded, such as \[\{"property"/],
  ['where=', 'where', /JSON/],
  ['where={}', 'where', /list/],
  ['delivery=LATEST', 'delivery', /JSON, URL-encoded, such as \{"mode":"LATEST"/],
  ['delivery={"mode":"LATEST","everyMs":1}', 'delivery', /between 10 and 60000/],
  ['delivery={}', 'delivery', /"delivery"; known are after/, 'deadLetters'],
  ['since=now', 'since', /RFC 3339/],
  ['since=1969-12-31T23:59:59Z', 'since', /since 1970/],
  ['since=2026-11-23T18:00:00+01:00', 'since', /URL-encoded, as %2B/],
  ['since=2026-11-23T18:00:00.25+0100', 'since', /URL-encoded, as %2B/],
  ['since=yesterday 18:00', 'since', /RFC 3339/],
];

for (const [query, argument, message, kind] of refused) {
  test(`refused: ?${query.slice(0, 40)}${kind === undefined ? '' : ` of ${kind}`}`, () => {
    assert.throws(
      () => parse(query, kind),
      (error) => {
        assert.ok(error instanceof MillraceError);
        assert.equal(error.code, 'BAD_USER_INPUT');
        assert.equal(error.details.argument, argument);
        assert.match(error.message, message);
        return true;
      },
    );
  });
}

test('a token in the address is not a matter of what is asked for', () => {
  assert.deepEqual(parse('token=t'), parse(''));
  assert.deepEqual(parse('token=t', 'deadLetters'), parse('', 'deadLetters'));
});

test('no value of an unknown parameter is repeated: it may be a secret', () => {
  assert.throws(
    () => parse('passwort=hunter2'),
    (error) => !String(error).includes('hunter2'),
  );
});

test('a topic that is not URL-encoded is refused', () => {
  assert.throws(() => parse('', 'events', '%zz'), { code: 'BAD_USER_INPUT' });
  assert.throws(() => parse('', 'events', '%ff'), { code: 'BAD_USER_INPUT' });
});

test('a feed goes on after a cursor: the id of the last event, wherever the address has it begin', () => {
  const address = { holds: 'events', topic: 'purchases', lastEventId: 'last' } as const;
  for (const query of ['', 'after=given', 'since=2026-11-23T17:00:00Z']) {
    for (const holds of ['events', 'deadLetters'] as const) {
      const { after, sinceMs } = parseFeedRequest({ ...address, holds, query });
      assert.deepEqual({ after, sinceMs }, { after: 'last', sinceMs: undefined });
    }
  }
  assert.equal(parse('after=given').after, 'given');
  assert.equal(parse('after=given', 'deadLetters').after, 'given');
});
