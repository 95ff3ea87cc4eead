import {
  afterBlanks,
  closeBracket,
  comma,
  openBrace,
  openBracket,
  quote,
  stringEnd,
  valueEnd,
} from './json-tokens.ts';
import { arrayIndex, type Path } from './path.ts';

/**
 * The verbatim text of the value at `path`, as `valueAt` would find it in the parsed document:
 * numbers keep all their digits, strings their escapes, objects their blanks and order of keys. Of
 * duplicate keys the last counts, as it does for `JSON.parse`.
 *
 * `json` must be valid JSON. Iterative, so that no depth of nesting can exhaust the stack; time is
 * linear in the text for each level of the path, without any memory but the answer.
 *
 * @returns `undefined`: there is nothing at that path.
 */
export function sourceAt(json: string, path: Path): string | undefined {
  let start = afterBlanks(json, 0);
  for (const segment of path) {
    start = childStart(json, start, segment);
    if (start < 0) return undefined;
  }
  return json.slice(start, valueEnd(json, start));
}

/** Where the child `segment` of the value at `start` begins; -1 if it has none. */
function childStart(json: string, start: number, segment: string): number {
  switch (json.charCodeAt(start)) {
    case openBrace:
      return memberStart(json, start, segment);
    case openBracket:
      return elementStart(json, start, arrayIndex(segment));
    default:
      return -1;
  }
}

function memberStart(json: string, objectStart: number, key: string): number {
  let found = -1;
  let at = afterBlanks(json, objectStart + 1);
  while (json.charCodeAt(at) === quote) {
    const keyEnd = stringEnd(json, at);
    const colon = afterBlanks(json, keyEnd);
    const value = afterBlanks(json, colon + 1);
    if (isKey(json, at, keyEnd, key)) found = value;
    // On past a match: a later duplicate would win.
    at = afterBlanks(json, valueEnd(json, value));
    if (json.charCodeAt(at) === comma) at = afterBlanks(json, at + 1);
  }
  return found;
}

function elementStart(json: string, arrayStart: number, index: number): number {
  if (index < 0) return -1;
  let at = afterBlanks(json, arrayStart + 1);
  if (json.charCodeAt(at) === closeBracket) return -1;
  for (let skipped = 0; skipped < index; skipped += 1) {
    at = afterBlanks(json, valueEnd(json, at));
    if (json.charCodeAt(at) !== comma) return -1;
    at = afterBlanks(json, at + 1);
  }
  return at;
}

/** Whether the string literal in `start..end` means `key`; escapes are decoded only if there are any. */
function isKey(json: string, start: number, end: number, key: string): boolean {
  if (end - start - 2 === key.length && json.startsWith(key, start + 1)) {
    return !key.includes('\\');
  }
  const literal = json.slice(start, end);
  return literal.includes('\\') && JSON.parse(literal) === key;
}
