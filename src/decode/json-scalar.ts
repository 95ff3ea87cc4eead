/** Strings, numbers and literals in the bytes of a JSON text (RFC 8259). */

const quote = 0x22;
const backslash = 0x5c;
const minus = 0x2d;
const point = 0x2e;
const zero = 0x30;
const nine = 0x39;
const upperE = 0x45;
const lowerE = 0x65;
export const lowerF = 0x66;
export const lowerN = 0x6e;
export const lowerT = 0x74;
const lowerU = 0x75;

const trueBytes = Buffer.from('true');
const falseBytes = Buffer.from('false');
const nullBytes = Buffer.from('null');

/** The position behind the scalar that begins at `start`; -1: it is none. */
export function scalarEnd(json: Uint8Array, start: number): number {
  const first = json[start];
  if (first === quote) return stringEnd(json, start);
  switch (first) {
    case lowerT:
      return spells(json, start, trueBytes) ? start + 4 : -1;
    case lowerF:
      return spells(json, start, falseBytes) ? start + 5 : -1;
    case lowerN:
      return spells(json, start, nullBytes) ? start + 4 : -1;
    default:
      return numberEnd(json, start);
  }
}

/** RFC 8259, section 6. */
function numberEnd(json: Uint8Array, start: number): number {
  let at = json[start] === minus ? start + 1 : start;
  if (json[at] === zero) {
    at += 1;
  } else {
    at = digitsEnd(json, at);
    if (at < 0) return -1;
  }
  if (json[at] === point) {
    at = digitsEnd(json, at + 1);
    if (at < 0) return -1;
  }
  const exponent = json[at];
  if (exponent !== lowerE && exponent !== upperE) return at;
  const sign = json[at + 1];
  return digitsEnd(json, sign === minus || sign === 0x2b ? at + 2 : at + 1);
}

/** The position behind one digit or more; -1: there is none. */
function digitsEnd(json: Uint8Array, start: number): number {
  let at = start;
  while (isDigit(json[at])) at += 1;
  return at === start ? -1 : at;
}

/** The position behind the string that opens at `start`; -1: it is none. */
export function stringEnd(json: Uint8Array, start: number): number {
  const { length } = json;
  let at = start + 1;
  while (at < length) {
    const code = json[at];
    if (code === quote) return at + 1;
    if (code === undefined || code < 0x20) return -1;
    at += 1;
    if (code === backslash) {
      at = escapeEnd(json, at);
      if (at < 0) return -1;
    }
  }
  return -1;
}

/** The position behind an escape whose backslash stands before `at`; -1: it is none. */
function escapeEnd(json: Uint8Array, at: number): number {
  switch (json[at]) {
    case quote:
    case backslash:
    case 0x2f: // slash
    case 0x62: // b
    case lowerF:
    case lowerN:
    case 0x72: // r
    case lowerT:
      return at + 1;
    case lowerU: {
      for (let digit = at + 1; digit <= at + 4; digit += 1) {
        if (!isHexDigit(json[digit])) return -1;
      }
      return at + 5;
    }
    default:
      return -1;
  }
}

/** The number that up to 15 digits stand for; `null`: there is more to it. */
export function smallInteger(json: Uint8Array, start: number, end: number): number | null {
  if (end - start > 15) return null;
  let value = 0;
  for (let at = start; at < end; at += 1) {
    const code = json[at];
    if (code === undefined || !isDigit(code)) return null;
    value = value * 10 + (code - zero);
  }
  return value;
}

/** Whether the bytes from `start` on are these. */
export function spells(json: Uint8Array, start: number, bytes: Uint8Array): boolean {
  for (let index = 0; index < bytes.length; index += 1) {
    if (json[start + index] !== bytes[index]) return false;
  }
  return true;
}

function isDigit(code: number | undefined): boolean {
  return code !== undefined && code >= zero && code <= nine;
}

function isHexDigit(code: number | undefined): boolean {
  if (code === undefined) return false;
  return isDigit(code) || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= lowerF);
}
