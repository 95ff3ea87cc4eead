import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '../../../../src/observe/logger.ts';
import {
  GraphqlEngine,
  isErrors,
  isSubscribed,
} from '../../../../src/transports/graphql/engine.ts';
import { createErrorMask } from '../../../../src/transports/graphql/errors.ts';
import { createSchema } from '../../../../src/transports/graphql/schema.ts';
import { testConfig } from '../../../support/server.ts';

const engine = new GraphqlEngine({
  schema: createSchema(),
  limits: testConfig().limits,
  introspection: true,
  mask: createErrorMask(createLogger({ level: 'silent' })),
});

/** The extensions of the first error of an operation that does not get to a resolver. */
async function extensionsOf(
  text: string,
  variableValues: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const document = engine.document(text);
  if (isErrors(document)) return document[0]?.extensions;
  const result = await engine.subscribe({ schema: engine.schema, document, variableValues });
  assert.ok(!isSubscribed(result));
  return result.errors?.[0]?.extensions;
}

const events = (args: string, variables = ''): string =>
  `subscription${variables} { events(${args}) { id } }`;

for (const [what, text, argument, variables = {}] of [
  ['an unknown enum value', events('topic: "t", order: SOON'), 'order'],
  ['an instant that is none', events('topic: "t", since: "yesterday"'), 'since'],
  ['a value of another type', events('topic: 1'), 'topic'],
  ['a value deep within', events('topic: "t", where: [{ property: "a", operator: IS }]'), 'where'],
  ['an unknown argument', events('topic: "t", sort: "up"'), 'sort'],
  ['an unknown key of an input', events('topic: "t", where: [{ path: "a" }]'), 'where'],
  [
    'a variable with an unknown enum value',
    events('topic: "t", order: $way', '($way: EventOrder)'),
    'order',
    { way: 'SOON' },
  ],
  [
    'a variable with an instant that is none',
    events('topic: "t", since: $from', '($from: DateTime)'),
    'since',
    { from: 'yesterday' },
  ],
  ['a variable that is missing', events('topic: $name', '($name: String!)'), 'topic'],
  [
    'a variable in a list',
    events('topic: "t", where: [$one]', '($one: PropertyFilter!)'),
    'where',
    { one: { property: 1 } },
  ],
  [
    'a variable within a fragment',
    `subscription($last: Boolean!) { ...F }
     fragment F on Subscription { events(topic: "t", deduplicate: $last) { id } }`,
    'deduplicate',
    { last: 'x' },
  ],
] as const) {
  test(`${what} is refused with the argument's name`, async () => {
    assert.deepEqual(await extensionsOf(text, variables), { code: 'BAD_USER_INPUT', argument });
  });
}

for (const [what, text] of [
  ['a syntax error', 'subscription { events('],
  ['an unknown field', 'subscription { evnts(topic: "t") { id } }'],
  ['an unknown field within', 'subscription { events(topic: "t") { ide } }'],
] as const) {
  test(`${what} names no argument`, async () => {
    assert.deepEqual(await extensionsOf(text, {}), { code: 'BAD_USER_INPUT' });
  });
}

test('a limit is no matter of an argument', async () => {
  const long = events(`topic: "${'t'.repeat(15_000)}"`);
  const extensions = await extensionsOf(long, {});
  assert.deepEqual(extensions, { code: 'LIMIT_EXCEEDED', limit: 'limits.queryCharacters' });
});
