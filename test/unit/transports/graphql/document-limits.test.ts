import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getIntrospectionQuery, parse } from 'graphql';
import {
  type DocumentLimits,
  overLimit,
} from '../../../../src/transports/graphql/document-limits.ts';

const limits: DocumentLimits = {
  queryCharacters: 15_000,
  queryTokens: 1_000,
  queryDepth: 3,
  queryAliases: 2,
  queryDirectives: 1,
};

function limitOf(text: string): unknown {
  return overLimit(parse(text), limits)?.extensions['limit'];
}

test('each limit is named when it is passed, and not before', () => {
  assert.equal(limitOf('{ a { b { c } } }'), undefined);
  assert.equal(limitOf('{ a { b { c { d } } } }'), 'limits.queryDepth');
  assert.equal(limitOf('{ x: a y: a }'), undefined);
  assert.equal(limitOf('{ x: a y: a z: a }'), 'limits.queryAliases');
  assert.equal(limitOf('{ a @skip(if: true) }'), undefined);
  assert.equal(limitOf('query @d { a @skip(if: true) }'), 'limits.queryDirectives');
});

test('fragments count where they are spread, inline ones too', () => {
  assert.equal(limitOf('{ a { ...f } } fragment f on T { b { c } }'), undefined);
  assert.equal(limitOf('{ a { ...f } } fragment f on T { b { c { d } } }'), 'limits.queryDepth');
  assert.equal(
    limitOf('{ ...f ...f } fragment f on T { x: a ... { y: b } }'),
    'limits.queryAliases',
  );
});

test('fragments that spread each other exponentially are measured at once', () => {
  const fragments = Array.from(
    { length: 60 },
    (_, index) => `fragment f${index} on T { ...f${index + 1} ...f${index + 1} }`,
  );
  assert.equal(
    limitOf(`{ ...f0 } ${fragments.join(' ')} fragment f60 on T { x: a }`),
    'limits.queryAliases',
  );
});

test('cycles end', () => {
  assert.equal(
    limitOf('{ ...f } fragment f on T { a { ...g } } fragment g on T { b { ...f } }'),
    undefined,
  );
});

test('the introspection of tools passes', () => {
  assert.equal(limitOf(getIntrospectionQuery()), undefined);
});
