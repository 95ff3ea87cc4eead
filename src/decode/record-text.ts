import { isUtf8 } from 'node:buffer';
import { hasEscapedKey, parseKeyByKey } from './escaped-keys.ts';

/** The text of a record's value; `undefined` if it is not valid UTF-8. */
export function textOf(value: Buffer): string | undefined {
  // Without an argument it takes a shorter way.
  const text = value.toString();
  // Whatever is not UTF-8 has become U+FFFD. Looking for that costs next to nothing in plain ASCII,
  // and only where it is found can it also have been sent as such.
  return text.includes('\uFFFD') && !isUtf8(value) ? undefined : text;
}

/** A JSON text with what it says. */
export interface ParsedText {
  readonly kind: 'parsed';
  readonly json: string;
  readonly payload: unknown;
}

export interface UnparsableText {
  readonly kind: 'unparsable';
  /** What is wrong, in a few words; quotes a few characters of the text at most. */
  readonly reason: string;
}

const byteOrderMark = '\uFEFF';

/**
 * A byte order mark is no part of a JSON text, and may be ignored (RFC 8259, section 8.1). Everything
 * else stays as it is.
 */
export function withoutByteOrderMark(text: string): string {
  return text.startsWith(byteOrderMark) ? text.slice(byteOrderMark.length) : text;
}

/** Parses a record's text, without the byte order mark that it may begin with. */
export function parseText(text: string): ParsedText | UnparsableText {
  const json = withoutByteOrderMark(text);
  try {
    const payload: unknown = JSON.parse(json);
    return { kind: 'parsed', json, payload: hasEscapedKey(json) ? parseKeyByKey(json) : payload };
  } catch (error) {
    return { kind: 'unparsable', reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Why a text is not JSON. */
export function reasonOf(json: string): string {
  const parsed = parseText(json);
  return parsed.kind === 'unparsable' ? parsed.reason : 'it cannot be read';
}
