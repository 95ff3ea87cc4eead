import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { hasEscapedKey, parseKeyByKey } from '../../../src/decode/escaped-keys.ts';
import { jsonText } from '../../support/arbitrary-json.ts';

describe('hasEscapedKey', () => {
  it('looks at keys, not at values', () => {
    assert.equal(hasEscapedKey('{"a":"\\n","b":["\\"",":\\\\"],"c":1}'), false);
    assert.equal(hasEscapedKey('"\\u0061"'), false);
    assert.equal(hasEscapedKey('["\\":"]'), false);
    assert.equal(hasEscapedKey('{"é":1}'), false);
    assert.equal(hasEscapedKey('{"\\u00e9":1}'), true);
    assert.equal(hasEscapedKey('[{"a":"\\n","b":{"c\\"" \n: 1}}]'), true);
    assert.equal(hasEscapedKey('{"a\\\\":1}'), true);
  });

  it('misses none', () => {
    fc.assert(
      fc.property(jsonText, (json) => {
        // By a pattern instead of a scanner: every string, with the colon that makes it a key.
        const strings = json.matchAll(/"((?:[^"\\]|\\.)*)"(\s*:)?/g);
        const escaped = strings.some(
          ([, text, mark]) => mark !== undefined && text?.includes('\\') === true,
        );
        assert.equal(hasEscapedKey(json), escaped);
      }),
      { numRuns: 500 },
    );
  });
});

describe('parseKeyByKey', () => {
  it('answers what JSON.parse answers', () => {
    fc.assert(
      fc.property(jsonText, (json) => {
        const parsed = parseKeyByKey(json);
        assert.deepEqual(parsed, JSON.parse(json));
        // Also the order of keys, and which of two equal ones counts.
        assert.equal(JSON.stringify(parsed), JSON.stringify(JSON.parse(json)));
      }),
      { numRuns: 1_000 },
    );
  });

  it('is right about escaped keys where V8 guesses', () => {
    JSON.parse('{"guessed":1,"\\\\":2}');
    assert.deepEqual(parseKeyByKey('{"guessed":1,"\\u0062":2}'), { guessed: 1, b: 2 });
    assert.deepEqual(parseKeyByKey('{"\\\\n":1,"\\n":2}'), { '\\n': 1, '\n': 2 });
  });

  it('does not depend on the stack', () => {
    const text = `${'{"\\n":['.repeat(100_000)}${']}'.repeat(100_000)}`;
    let depth = 0;
    for (let value = parseKeyByKey(text); typeof value === 'object' && value !== null; ) {
      depth += 1;
      value = Object.values(value)[0];
    }
    assert.equal(depth, 200_000);
  });
});
