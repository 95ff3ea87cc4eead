import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { execute, type GraphQLError, parse } from 'graphql';
import { MillraceError } from '../../../../src/core/errors.ts';
import { EventBatch, EventMessage, type Message } from '../../../../src/hub/message.ts';
import { Subscription } from '../../../../src/hub/subscription.ts';
import type { GraphqlContext } from '../../../../src/transports/graphql/context.ts';
import {
  GraphqlEngine,
  isErrors,
  isSubscribed,
} from '../../../../src/transports/graphql/engine.ts';
import { createErrorMask } from '../../../../src/transports/graphql/errors.ts';
import { stringifyResult } from '../../../../src/transports/graphql/json-text.ts';
import { createSchema } from '../../../../src/transports/graphql/schema.ts';
import { Selection } from '../../../../src/transports/graphql/selection.ts';
import { captureLog } from '../../../support/captured-log.ts';
import { nowhere } from '../../../support/parcels.ts';
import { sketched } from '../../../support/events.ts';
import { Numbered } from '../../../support/messages.ts';

const unlimited = Number.POSITIVE_INFINITY;
const limits = {
  queryCharacters: unlimited,
  queryTokens: 1_000,
  queryDepth: unlimited,
  queryAliases: unlimited,
  queryDirectives: unlimited,
};

/** Ways in which a resolver may look at who asks. */
const looks: Readonly<Record<string, (context: Record<string, unknown>) => unknown>> = {
  who: ({ name }) => name,
  spread: (context) => ({ ...context })['name'],
  listed: (context) => Object.values(context)[0],
  asked: (context) => ('name' in context ? context['name'] : 'nobody'),
  own: (context) => Object.getOwnPropertyDescriptor(context, 'name')?.value,
  caught: (context) => {
    try {
      return context['name'];
    } catch {
      return 'nobody';
    }
  },
};

function open() {
  const calls: string[] = [];
  const counted = <Result>(name: string, result: Result): Result => {
    calls.push(name);
    return result;
  };
  const item = {
    resolve: (message: unknown) => message,
    subscribe: () =>
      new Subscription({ maxQueuedBytes: 1, onEnd: () => undefined, onBehind: () => undefined }),
  };
  const ofContext = Object.entries(looks).map(
    ([name, look]) =>
      [
        name,
        (_: unknown, _args: unknown, context: Record<string, unknown>) => look(context),
      ] as const,
  );
  const schema = makeExecutableSchema({
    typeDefs: `
      type Query { a: Int }
      type Item {
        number: Int
        echo(text: String = "the schema's default"): String
        whoIfOdd: String
        refused: String
        broken: String
        ${Object.keys(looks)
          .map((name) => `${name}: String`)
          .join('\n')}
      }
      type Subscription { item(topic: String, tags: [String]): Item }
    `,
    resolvers: {
      Item: {
        ...Object.fromEntries(ofContext),
        number: ({ number }: Numbered) => counted('number', number),
        echo: (_: unknown, { text }: { text?: string | null }) =>
          counted('echo', text === null ? 'null' : text),
        whoIfOdd: ({ number }: Numbered, _args: unknown, context: Record<string, unknown>) =>
          number % 2 === 1 ? context['name'] : 'even',
        refused: () => {
          throw new MillraceError('BAD_USER_INPUT', 'no', { argument: 'x' });
        },
        broken: () => {
          throw new Error('the password is hunter2');
        },
      },
      Subscription: { item },
    },
  });
  const log = captureLog();
  const engine = new GraphqlEngine({
    schema,
    limits,
    introspection: true,
    mask: createErrorMask(log.logger),
  });
  /** What somebody gets who subscribes with this. */
  const subscribe = async (query: string, variables: Record<string, unknown> = {}) => {
    const selection = await selectionOf(engine, query, variables);
    return (message: Numbered, name = 'anybody'): unknown =>
      JSON.parse(selection.textOf(message, () => ({ name })).toString());
  };
  return { calls, log, subscribe };
}

async function selectionOf(
  engine: GraphqlEngine,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<Selection> {
  // The resolvers of these tests need none before there is a message.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const context = {} as GraphqlContext;
  const operation = engine.operation({ query, variables }, context);
  assert.ok(!isErrors(operation), JSON.stringify(operation));
  const outcome = await engine.subscribe(operation.args);
  assert.ok(isSubscribed(outcome));
  return outcome.selection;
}

test('a message is executed once for all who select the same, whatever else they say', async () => {
  const { calls, subscribe } = open();
  const subscribers = await Promise.all([
    subscribe('subscription { item { number echo } }'),
    subscribe('subscription Named { item(topic: "a") { number, echo } } # a comment'),
    subscribe('subscription($t: String) {\n item(topic: $t) {\n number\n echo } }', { t: 'a' }),
    subscribe('subscription($t: String) { item(topic: $t) { number echo } }', { t: 'b' }),
    subscribe('subscription A { item(tags: ["x"]) { number echo } }', { unused: 1 }),
  ]);
  for (const number of [1, 2]) {
    const message = new Numbered(number);
    for (const textOf of subscribers) {
      const expected = { data: { item: { number, echo: "the schema's default" } } };
      assert.deepEqual(textOf(message), expected);
    }
  }
  assert.deepEqual(calls, ['number', 'echo', 'number', 'echo']);
});

test('what selects something else, or with other values, is executed by itself', async () => {
  const { calls, subscribe } = open();
  const echo =
    'subscription($text: String = "a default", $topic: String) ' +
    '{ item(topic: $topic) { echo(text: $text) } }';
  const flagged =
    'subscription($flag: Boolean = true) { item { number echo @include(if: $flag) } }';
  const cases: readonly [query: string, variables: Record<string, unknown>, expected: unknown][] = [
    [echo, { text: null }, { echo: 'null' }],
    [echo, {}, { echo: 'a default' }],
    [echo, { topic: 'other' }, { echo: 'a default' }],
    [echo, { text: 'mine' }, { echo: 'mine' }],
    [echo, { text: 'yours' }, { echo: 'yours' }],
    [echo.replace('"a default"', '"another"'), {}, { echo: 'another' }],
    [flagged, { flag: false }, { number: 1 }],
    [flagged, {}, { number: 1, echo: "the schema's default" }],
    ['subscription { item { n: number } }', {}, { n: 1 }],
    ['subscription { item { ...F } } fragment F on Item { number }', {}, { number: 1 }],
    ['subscription { item { ...F } } fragment F on Item { x: number }', {}, { x: 1 }],
  ];
  const message = new Numbered(1);
  for (const [query, variables, expected] of cases) {
    const textOf = await subscribe(query, variables);
    assert.deepEqual(textOf(message), { data: { item: expected } }, query);
  }
  // For the third, which has another topic only, it was called already.
  assert.equal(calls.filter((call) => call === 'echo').length, 6);
});

for (const name of Object.keys(looks)) {
  test(`a resolver that looks at who asks (${name}) answers each by itself`, async () => {
    const { log, subscribe } = open();
    const query = `subscription { item { ${name} } }`;
    const [one, two] = await Promise.all([subscribe(query), subscribe(query)]);
    for (const number of [1, 2]) {
      const message = new Numbered(number);
      assert.deepEqual(one(message, 'alice'), { data: { item: { [name]: 'alice' } } });
      assert.deepEqual(two(message, 'bob'), { data: { item: { [name]: 'bob' } } });
      assert.deepEqual(one(message, 'alice'), { data: { item: { [name]: 'alice' } } });
    }
    assert.deepEqual(log.lines, []);
  });
}

test('it may be found out late that somebody looks at who asks', async () => {
  const { subscribe } = open();
  const query = 'subscription { item { number whoIfOdd } }';
  const [one, two] = await Promise.all([subscribe(query), subscribe(query)]);
  for (const number of [2, 4, 5, 6, 7]) {
    const message = new Numbered(number);
    for (const [textOf, name] of [
      [one, 'alice'],
      [two, 'bob'],
    ] as const) {
      const expected = number % 2 === 1 ? name : 'even';
      assert.deepEqual(textOf(message, name), { data: { item: { number, whoIfOdd: expected } } });
    }
  }
});

test('errors are masked and logged once for all, and say nothing of anybody’s document', async () => {
  const { log, subscribe } = open();
  const [one, two] = await Promise.all([
    subscribe('subscription { item { number broken refused } }'),
    subscribe('subscription Two {\n\n\n item { number broken refused } }'),
  ]);
  const message = new Numbered(1);
  const { data, errors } = Object(one(message));
  assert.deepEqual(two(message), { data, errors });
  assert.deepEqual(data, { item: { number: 1, broken: null, refused: null } });
  assert.deepEqual(
    errors.map(({ path, extensions }: GraphQLError) => ({ path, extensions })),
    [
      { path: ['item', 'broken'], extensions: { code: 'INTERNAL' } },
      { path: ['item', 'refused'], extensions: { code: 'BAD_USER_INPUT', argument: 'x' } },
    ],
  );
  assert.doesNotMatch(JSON.stringify(errors), /hunter2|locations/);
  assert.equal(log.lines.length, 1);
});

test('what is shared is what execution gives, for all that the schema has', async () => {
  const schema = createSchema();
  const events = [
    '{"a":{"b":1.10},"big":12345678901234567890}',
    ' {\n"a" : [ "\\u00e9", null ]}',
  ].map((json, offset) => {
    const event = sketched({ id: `é"${offset}`, offset, at: 1, json });
    return new EventMessage('t', event, offset > 0, nowhere);
  });
  const fields = `id topic timestamp sequence payload partition offset recordedAt late __typename
    b: value(property: "a.b") bad: value(property: "") big: value(property: $p)`;
  const documents: readonly [query: string, messages: readonly Message[]][] = [
    [`subscription($p: String!) { e: events(topic: "t") { ${fields} } }`, events],
    [
      `subscription($p: String!) { eventBatches(topic: "t") { watermark events { ...F } } }
      fragment F on Event { ${fields} }`,
      [
        new EventBatch(events, null, nowhere),
        new EventBatch(events, 1, nowhere),
        new EventBatch([], 1, nowhere),
      ],
    ],
  ];
  for (const [query, messages] of documents) {
    const args = { schema, document: parse(query), variableValues: { p: 'big' } };
    const selection = new Selection(args, (result) => result);
    for (const message of messages) {
      const { data, errors } = await execute({ ...args, rootValue: message, contextValue: {} });
      const text = selection.textOf(message, () => assert.fail('nobody looks at who asks'));
      const shared = JSON.parse(text.toString());
      assert.equal(JSON.stringify(shared.data), JSON.stringify(JSON.parse(stringifyResult(data))));
      assert.deepEqual(
        shared.errors?.map(({ message: said }: GraphQLError) => said),
        errors?.map(({ message: said }) => said),
      );
      assert.ok(selection.isShared);
    }
  }
});
