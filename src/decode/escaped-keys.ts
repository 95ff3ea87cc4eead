import {
  afterBlanks,
  closeBrace,
  closeBracket,
  colon,
  comma,
  isBlank,
  openBrace,
  openBracket,
  stringEnd,
  valueEnd,
} from './json-tokens.ts';

/**
 * Why this file exists: V8 (that of Node 24, at least) guesses the next key of an object from objects parsed
 * before, and compares its guess with the text as it is written, escapes undecoded. Once any
 * `{"a":1,"\\":2}` has been parsed in the process, `JSON.parse('{"a":1,"\u0062":2}')` answers
 * `{"a":1,"\\":2}` (https://github.com/nodejs/node/issues/63785). One sender's record could so hide
 * a property of another's from its filters. Texts in which a key is written with an escape, a rare
 * thing, are therefore put together here. What is valid JSON, `JSON.parse` judges rightly.
 */

/** Whether a key in this valid JSON text is written with an escape. */
export function hasEscapedKey(json: string): boolean {
  let escape = json.indexOf('\\');
  while (escape !== -1) {
    // Only strings have backslashes; this is the first one of its string.
    const end = stringEnd(json, escape - 1);
    if (json.charCodeAt(afterBlanks(json, end)) === colon) return true;
    escape = json.indexOf('\\', end);
  }
  return false;
}

/**
 * What `JSON.parse` should answer for a valid JSON text. Iterative; several times slower than it.
 */
export function parseKeyByKey(json: string): unknown {
  const open: (unknown[] | Record<string, unknown>)[] = [];
  let root: unknown;
  let at = 0;
  while (at < json.length) {
    const code = json.charCodeAt(at);
    if (code === comma || isBlank(code)) {
      at += 1;
      continue;
    }
    if (code === closeBrace || code === closeBracket) {
      open.pop();
      at += 1;
      continue;
    }

    const parent = open.at(-1);
    let key = '';
    if (parent !== undefined && !Array.isArray(parent)) {
      const keyEnd = stringEnd(json, at);
      key = String(scalarOf(json.slice(at, keyEnd)));
      at = afterBlanks(json, afterBlanks(json, keyEnd) + 1);
    }

    const child = emptyContainer(json.charCodeAt(at));
    const end = child === undefined ? valueEnd(json, at) : at + 1;
    const value: unknown = child ?? scalarOf(json.slice(at, end));
    at = end;

    if (parent === undefined) root = value;
    else if (Array.isArray(parent)) parent.push(value);
    else setOwn(parent, key, value);
    if (child !== undefined) open.push(child);
  }
  return root;
}

function scalarOf(literal: string): unknown {
  return literal.startsWith('"') && !literal.includes('\\')
    ? literal.slice(1, -1)
    : JSON.parse(literal);
}

function emptyContainer(code: number): unknown[] | Record<string, unknown> | undefined {
  if (code === openBrace) return {};
  return code === openBracket ? [] : undefined;
}

/** Like an assignment, but `__proto__` is a key like any other. */
function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  } else {
    object[key] = value;
  }
}
