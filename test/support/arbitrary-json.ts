import * as fc from 'fast-check';

/**
 * Keys that go wrong where keys are handled carelessly. None with a backslash: having parsed one, V8
 * may misread the escaped keys of later texts, and `JSON.parse` could be no judge; see escaped-keys.ts.
 */
export const awkwardKeys: readonly string[] = [
  'a',
  'b',
  '',
  '0',
  '1',
  '01',
  'a.b',
  'length',
  '__proto__',
  'constructor',
  'toString',
  'é',
  '😀',
  '\ud800',
  '"',
  '\n',
  '{',
  ']',
];

/** Texts of characters that differ in kind, lone surrogates included. */
export const anyText: fc.Arbitrary<string> = fc.string({
  unit: fc.constantFrom(
    'a',
    '0',
    '.',
    '$',
    '"',
    '\\',
    '{',
    '\0',
    '\n',
    'é',
    '\uFFFD',
    '😀',
    '\ud83d',
    '\ude00',
  ),
});

const blanks = fc.string({ unit: fc.constantFrom(' ', '\t', '\n', '\r'), maxLength: 2 });

/** One character as JSON text: as it is where that is allowed, or escaped. */
function written(unit: string, escape: boolean): string {
  if (escape) return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(unit).slice(1, -1);
}

/** The literal of a string, its characters escaped here and there without need. */
function literalOf(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.tuple(text, fc.nat({ max: 0xff })).map(([value, escapes]) => {
    const units = value
      .split('')
      .map((unit, at) => written(unit, ((escapes >> (at % 8)) & 1) === 1));
    return `"${units.join('')}"`;
  });
}

const key = literalOf(
  fc.oneof(
    fc.constantFrom(...awkwardKeys),
    fc.string({ maxLength: 3 }).filter((text) => !text.includes('\\')),
  ),
);

const scalar = fc.oneof(
  fc.constantFrom('null', 'true', 'false', '-0', '1e3', '-1.5E-2', '9007199254740993'),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
  literalOf(fc.oneof(fc.constantFrom('{"a":1}', '[', ']', ',', ...awkwardKeys), fc.string())),
);

/** Valid JSON texts: blanks, needless escapes, duplicate keys, numbers in every notation. */
export const jsonText: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => {
  const padded = fc
    .tuple(blanks, tie('value'), blanks)
    .map(([before, value, after]) => before + value + after);
  const member = fc
    .tuple(blanks, key, blanks, padded)
    .map(([before, name, after, value]) => `${before}${name}${after}:${value}`);
  return {
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      scalar,
      fc.array(padded, { maxLength: 4 }).map((elements) => `[${elements.join(',')}]`),
      fc.array(member, { maxLength: 4 }).map((members) => `{${members.join(',')}}`),
      blanks.map((blank) => `[${blank}]`),
      blanks.map((blank) => `{${blank}}`),
    ),
  };
}).value;
