/** Finding one's way in a text that is known to be JSON. Character codes are those of `charCodeAt`. */

export const quote = 0x22;
export const comma = 0x2c;
export const colon = 0x3a;
export const openBracket = 0x5b;
const backslash = 0x5c;
export const closeBracket = 0x5d;
export const openBrace = 0x7b;
export const closeBrace = 0x7d;

/** The position behind the value that begins at `start`. Iterative, like all here: no depth exhausts the stack. */
export function valueEnd(json: string, start: number): number {
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

/**
 * The position behind the closing quote of the string that opens at `start`, or that goes on behind
 * `start`, if no escape begins before or there; of a string that is not closed, the end of the text.
 */
export function stringEnd(json: string, start: number): number {
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

/** The first position from `start` on that is no blank. */
export function afterBlanks(json: string, start: number): number {
  let at = start;
  while (isBlank(json.charCodeAt(at))) at += 1;
  return at;
}

/** Space, tab, line feed, carriage return: all that JSON allows between tokens. */
export function isBlank(code: number | undefined): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function endsScalar(code: number): boolean {
  return code === comma || code === closeBrace || code === closeBracket || isBlank(code);
}
