import { arrayIndex, type Path } from './path.ts';

const quote = 0x22;
const comma = 0x2c;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

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

/** Whether arrays and objects are nested deeper than `levels`. Never fails, whatever the text. */
export function isNestedDeeperThan(json: string, levels: number): boolean {
  // Each level takes an opening and a closing character.
  if (json.length < 2 * (levels + 1)) return false;
  let depth = 0;
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === quote) {
      at = stringEnd(json, at) - 1;
    } else if (code === openBrace || code === openBracket) {
      depth += 1;
      if (depth > levels) return true;
    } else if (code === closeBrace || code === closeBracket) {
      depth -= 1;
    }
  }
  return false;
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

/** The position behind the value that begins at `start`. */
function valueEnd(json: string, start: number): number {
  const first = json.charCodeAt(start);
  if (first === quote) return stringEnd(json, start);
  if (first === openBrace || first === openBracket) return containerEnd(json, start);
  let at = start;
  while (at < json.length && !endsScalar(json.charCodeAt(at))) at += 1;
  return at;
}

function containerEnd(json: string, start: number): number {
  let depth = 0;
  let at = start;
  while (at < json.length) {
    const code = json.charCodeAt(at);
    if (code === quote) {
      at = stringEnd(json, at);
      continue;
    }
    at += 1;
    if (code === openBrace || code === openBracket) {
      depth += 1;
    } else if (code === closeBrace || code === closeBracket) {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return at;
}

/** The position behind the closing quote of the string that opens at `start`; of an open one, the end. */
function stringEnd(json: string, start: number): number {
  let at = json.indexOf('"', start + 1);
  while (at !== -1) {
    // A quote behind an odd number of backslashes is escaped.
    let before = at - 1;
    while (before > start && json.charCodeAt(before) === backslash) before -= 1;
    if ((at - before) % 2 === 1) return at + 1;
    at = json.indexOf('"', at + 1);
  }
  return json.length;
}

function afterBlanks(json: string, start: number): number {
  let at = start;
  while (isBlank(json.charCodeAt(at))) at += 1;
  return at;
}

/** Space, tab, line feed, carriage return: all that JSON allows between tokens. */
function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function endsScalar(code: number): boolean {
  return code === comma || code === closeBrace || code === closeBracket || isBlank(code);
}
