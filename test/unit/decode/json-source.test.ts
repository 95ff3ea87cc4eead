import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { sourceAt } from '../../../src/decode/json-source.ts';
import { valueAt } from '../../../src/decode/path.ts';
import { awkwardKeys, jsonText } from '../../support/arbitrary-json.ts';

/** All paths into a value, itself included. */
function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  const children = Object.entries(value);
  return [path, ...children.flatMap(([key, child]) => pathsOf(child, path.concat(key)))];
}

describe('sourceAt', () => {
  it('answers the text as it was written', () => {
    const json = '{ "a" : [1.0, -2E+3 ,"\\u0041\\n"], "b":{ "c" : 12345678901234567890 } }';
    assert.equal(sourceAt(json, ['a', '0']), '1.0');
    assert.equal(sourceAt(json, ['a', '1']), '-2E+3');
    assert.equal(sourceAt(json, ['a', '2']), '"\\u0041\\n"');
    assert.equal(sourceAt(json, ['a']), '[1.0, -2E+3 ,"\\u0041\\n"]');
    assert.equal(sourceAt(json, ['b']), '{ "c" : 12345678901234567890 }');
    assert.equal(sourceAt(json, ['b', 'c']), '12345678901234567890');
    assert.equal(sourceAt(` ${json}\n`, []), json);
  });

  it('takes the last of duplicate keys, also where it lacks what the first one had', () => {
    assert.equal(sourceAt('{"a":1,"b":0,"\\u0061":2}', ['a']), '2');
    assert.equal(sourceAt('{"a":{"b":1},"a":{"c":2}}', ['a', 'b']), undefined);
  });

  it('compares keys by what they mean, not by how they are written', () => {
    assert.equal(sourceAt('{"\\n":1}', ['\n']), '1');
    assert.equal(sourceAt('{"\\n":1}', ['\\n']), undefined);
    assert.equal(sourceAt('{"\\\\n":1}', ['\\n']), '1');
    assert.equal(sourceAt('{"a\\"b":1}', ['a"b']), '1');
  });

  it('is not led astray by brackets and quotes within strings', () => {
    assert.equal(sourceAt('{"x":"}],\\"\\\\","y":["]"],"z":3}', ['z']), '3');
  });

  it('finds in any document what JSON.parse finds, at every path', () => {
    fc.assert(
      fc.property(jsonText, (json) => {
        const parsed: unknown = JSON.parse(json);
        for (const path of pathsOf(parsed)) {
          const source = sourceAt(json, path);
          assert.notEqual(source, undefined, `nothing at ${JSON.stringify(path)}`);
          assert.deepEqual(JSON.parse(source ?? ''), valueAt(parsed, path));
          assert.ok(json.includes(source ?? ''));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('finds nothing where JSON.parse finds nothing', () => {
    const path = fc.array(fc.constantFrom(...awkwardKeys), { maxLength: 3 });
    fc.assert(
      fc.property(jsonText, path, (json, path) => {
        const exists = valueAt(JSON.parse(json), path) !== undefined;
        assert.equal(sourceAt(json, path) !== undefined, exists);
      }),
      { numRuns: 500 },
    );
  });

  it('does not depend on the stack', () => {
    const deep = `${'['.repeat(200_000)}7${']'.repeat(200_000)}`;
    assert.equal(sourceAt(`{"deep":${deep},"next":1}`, ['next']), '1');
    assert.equal(
      sourceAt(
        deep,
        Array.from({ length: 20 }, () => '0'),
      )?.length,
      deep.length - 40,
    );
  });
});
