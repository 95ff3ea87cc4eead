import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseKeyByKey } from '../../../src/decode/escaped-keys.ts';
import { JsonScanner } from '../../../src/decode/json-scanner.ts';
import { sourceAt } from '../../../src/decode/json-source.ts';
import { type Path, valueAt } from '../../../src/decode/path.ts';
import { awkwardKeys, jsonText } from '../../support/arbitrary-json.ts';

const paths: fc.Arbitrary<Path[]> = fc.array(
  fc.array(fc.constantFrom(...awkwardKeys), { minLength: 1, maxLength: 3 }),
  { minLength: 1, maxLength: 4 },
);

function scanned(json: string, looked: readonly Path[] = [], maxDepth = 1_000) {
  const scanner = new JsonScanner(looked, maxDepth);
  return { outcome: scanner.scan(Buffer.from(json), json), scanner };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Texts made of one: with other scalars in it, and with a piece of it changed, gone or doubled. */
const likeTexts: fc.Arbitrary<string[]> = fc
  .tuple(
    fc.oneof(jsonText, fc.constant('{"a":{"b":12},"b":["x",true]}')),
    fc.array(
      fc.record({
        at: fc.nat(),
        length: fc.nat(2),
        by: fc.constantFrom('', '0', '1', '"', ',', ' ', '{}', '[]', '\\', 'e', '"x"', 'true', 'é'),
        scalars: fc.boolean(),
      }),
      { maxLength: 12 },
    ),
  )
  .map(([text, changes]) =>
    [text].concat(
      changes.map(({ at, length, by, scalars }) => {
        if (scalars) return text.replaceAll(/\d+|true|false|null/g, by === '' ? '7' : by);
        const place = at % (text.length + 1);
        return text.slice(0, place) + by + text.slice(place + length);
      }),
    ),
  )
  .filter((texts) => texts.every((text) => text.isWellFormed()));

/** What the scanner says of a value that `JSON.parse` has read. */
function shown(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? {} : value;
}

function nested(depth: number): string {
  return `${'[{"a":'.repeat(depth / 2)}1${'}]'.repeat(depth / 2)}`;
}

describe('a scan', () => {
  it('finds what JSON.parse finds at every path', () => {
    fc.assert(
      fc.property(jsonText, paths, (json, looked) => {
        // Lone surrogates have no UTF-8; escaped ones are only text here.
        fc.pre(json.isWellFormed());
        const { outcome, scanner } = scanned(json, looked);
        assert.equal(outcome, 'valid');
        const parsed = parseKeyByKey(json);
        for (const [target, path] of looked.entries()) {
          const value = valueAt(parsed, path);
          assert.deepEqual(scanner.value(target), shown(value), path.join('.'));
          const isScalar = typeof value !== 'object' || value === null;
          assert.equal(scanner.source(target), isScalar ? sourceAt(json, path) : undefined);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it('accepts what JSON.parse accepts, and nothing else', () => {
    const damaged = fc
      .tuple(
        jsonText,
        fc.nat(),
        fc.constantFrom(
          '',
          ',',
          '"',
          '\\',
          '{',
          ']',
          ':',
          '0',
          '.',
          '-',
          'e',
          'u',
          '\n',
          '\u0001',
          'é',
          ' ',
        ),
      )
      .map(([json, at, by]) => {
        const place = at % (json.length + 1);
        return json.slice(0, place) + by + json.slice(place + (at % 3));
      });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.string(), jsonText), (text) => {
        fc.pre(text.isWellFormed());
        assert.equal(scanned(text).outcome, isJson(text) ? 'valid' : 'invalid', text);
      }),
      { numRuns: 20_000 },
    );
  });

  it('knows the corners of the grammar', () => {
    const valid = [
      '0',
      '-0',
      '1.5e+3',
      '"\\u00e9\\/"',
      ' [ ] ',
      '{"a":{}}',
      '[[],{}]',
      'null',
      '1E5',
    ];
    const invalid = [
      '',
      ' ',
      '01',
      '-',
      '1.',
      '.5',
      '1e',
      '+1',
      'nul',
      'nulll',
      'True',
      '"',
      '"\\x"',
      '"\\u12g4"',
      '"\t"',
      '[1,]',
      '[,1]',
      '{"a"}',
      '{"a":}',
      '{"a":1,}',
      '{a:1}',
      '{"a" 1}',
      '[1 2]',
      '1 2',
      '[}',
      '{]',
      '[',
      '{',
      ']',
      '\uFEFF1',
      '\u00a01',
      '"\\',
      '{"a":1',
      '[1',
    ];
    for (const json of valid) assert.equal(scanned(json).outcome, 'valid', json);
    for (const json of invalid) assert.equal(scanned(json).outcome, 'invalid', json);
  });

  it('ends at the depth that it is given, without a stack to exhaust', () => {
    assert.equal(scanned(nested(6), [], 6).outcome, 'valid');
    assert.equal(scanned(nested(8), [], 6).outcome, 'tooDeep');
    assert.equal(scanned(nested(200_000), [], 1_000).outcome, 'tooDeep');
  });

  it('lets the last of duplicate keys count, whatever the former ones held', () => {
    const { scanner } = scanned('{"a":{"b":1},"a":{"c":2}}', [
      ['a', 'b'],
      ['a', 'c'],
    ]);
    assert.equal(scanner.value(0), undefined);
    assert.equal(scanner.value(1), 2);
  });

  it('finds text that is more than ASCII, and before and after it', () => {
    const json = '{"é":"ü","😀":{"a":"ß"},"b":"x"}';
    const { scanner } = scanned(json, [['é'], ['😀', 'a'], ['b']]);
    assert.deepEqual(
      [0, 1, 2].map((target) => scanner.value(target)),
      ['ü', 'ß', 'x'],
    );
  });

  it('finds in texts of one shape, and of nearly one, what it finds in each alone', () => {
    const looked: Path[] = [['a'], ['a', 'b'], ['b', '1'], []];
    fc.assert(
      fc.property(likeTexts, (texts) => {
        const knowing = new JsonScanner(looked, 20);
        for (const text of texts) {
          const bytes = Buffer.from(text);
          // Twice: so that the shape of each is known at least once.
          for (let time = 0; time < 2; time++) {
            const { outcome, scanner } = scanned(text, looked, 20);
            assert.equal(knowing.scan(bytes, text), outcome, text);
            if (outcome !== 'valid') continue;
            for (const target of looked.keys()) {
              assert.deepEqual(knowing.value(target), scanner.value(target));
              assert.equal(knowing.source(target), scanner.source(target));
            }
          }
        }
      }),
      { numRuns: 3_000 },
    );
  });

  it('does not learn what has more scalars than a shape may', () => {
    const scanner = new JsonScanner([['129']], 10);
    for (const length of [127, 128, 129, 130, 500, 130]) {
      const text = JSON.stringify(Array.from({ length }, (_, index) => index));
      assert.equal(scanner.scan(Buffer.from(text), text), 'valid');
      assert.equal(scanner.value(0), length > 129 ? 129 : undefined);
    }
  });

  it('forgets the last text', () => {
    const scanner = new JsonScanner([['a']], 10);
    scanner.scan(Buffer.from('{"a":1}'), '{"a":1}');
    scanner.scan(Buffer.from('{"b":1}'), '{"b":1}');
    assert.equal(scanner.value(0), undefined);
  });
});
