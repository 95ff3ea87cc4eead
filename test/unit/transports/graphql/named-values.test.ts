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

async function refusalOf(
  text: string,
  variableValues: Readonly<Record<string, unknown>>,
  { introspection }: { introspection: boolean },
): Promise<string> {
  const engine = new GraphqlEngine({
    schema: createSchema(),
    limits: testConfig().limits,
    introspection,
    mask: createErrorMask(createLogger({ level: 'silent' })),
  });
  const document = engine.document(text);
  if (isErrors(document)) return document[0]?.message ?? '';
  const result = await engine.subscribe({ schema: engine.schema, document, variableValues });
  assert.ok(!isSubscribed(result));
  return result.errors?.[0]?.message ?? '';
}

const events = (args: string, variables = ''): string =>
  `subscription${variables} { events(topic: "t", ${args}) { id } }`;

for (const [what, text, expected, variables = {}] of [
  ['a value', events('order: FOO'), /"FOO".*ARRIVAL, TIMESTAMP, SEQUENCE\./],
  ['a text', events('order: "ARRIVAL"'), /"ARRIVAL".*ARRIVAL, TIMESTAMP, SEQUENCE\./],
  ['a value within', events('delivery: { mode: FOO }'), /"FOO".*ALL, LATEST, SAMPLE\./],
  [
    'a variable',
    events('order: $way', '($way: EventOrder)'),
    /\$way.*"FOO".*ARRIVAL, TIMESTAMP, SEQUENCE\./,
    { way: 'FOO' },
  ],
  [
    'a variable within',
    events('where: $where', '($where: [PropertyFilter!])'),
    /"FOO" at "where\[0\]\.operator".*EQ, NE, GT, GTE, LT, LTE, IN, EXISTS, CONTAINS, STARTS_WITH\./,
    { where: [{ property: 'a', operator: 'FOO', value: 1 }] },
  ],
] as const) {
  test(`${what} that an enum does not know is refused with those that it does`, async () => {
    for (const introspection of [true, false]) {
      assert.match(await refusalOf(text, variables, { introspection }), expected);
    }
  });
}

test('what an enum knows is taken', async () => {
  const message = await refusalOf(
    events('order: ARRIVAL, since: "x"'),
    {},
    { introspection: true },
  );
  assert.doesNotMatch(message, /enum/i);
});
