import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildSchema } from 'graphql';
import { createLogger } from '../../../../src/observe/logger.ts';
import { GraphqlEngine } from '../../../../src/transports/graphql/engine.ts';
import { createErrorMask } from '../../../../src/transports/graphql/errors.ts';

function createEngine(): GraphqlEngine {
  return new GraphqlEngine({
    schema: buildSchema('type Query { a: Int }'),
    limits: {
      queryCharacters: 15_000,
      queryTokens: 1_000,
      queryDepth: 10,
      queryAliases: 10,
      queryDirectives: 10,
    },
    introspection: true,
    mask: createErrorMask(createLogger({ level: 'silent' })),
  });
}

/** A document like no other. */
function text(number: number, length: number): string {
  return `{ a } # ${number} `.padEnd(length, '.');
}

test('a document is parsed and validated once', () => {
  const engine = createEngine();
  assert.equal(engine.document('{ a }'), engine.document('{ a }'));
});

test('the documents that are remembered are bounded in number and in characters', () => {
  for (const [count, length] of [
    [1_000, 20],
    [66, 15_000],
  ] as const) {
    const engine = createEngine();
    const first = engine.document(text(0, length));
    for (let number = 1; number < count; number += 1) engine.document(text(number, length));
    assert.equal(engine.document(text(0, length)), first);
    for (let number = 1; number <= count; number += 1) engine.document(text(number, length));
    assert.notEqual(engine.document(text(0, length)), first);
  }
});
