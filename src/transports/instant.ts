import { MillraceError } from '../core/errors.ts';
import { parseTimestamp } from '../decode/timestamp.ts';

/**
 * An instant that a client gives as an argument, in milliseconds since 1970.
 *
 * @throws {MillraceError} `BAD_USER_INPUT`, naming `argument`: it is none, or before 1970
 */
export function parseInstant(text: string, argument: string): number {
  const timestampUs = isDateTime(text) ? parseTimestamp(text) : undefined;
  if (timestampUs === undefined || timestampUs < 0) {
    throw new MillraceError(
      'BAD_USER_INPUT',
      `${argument} must be an instant since 1970 as RFC 3339 text, such as "2026-11-23T17:00:00Z"`,
      { argument },
    );
  }
  return Math.floor(timestampUs / 1_000);
}

/** Whether it is a time as people write it: texts of digits are times of senders. */
export function isDateTime(text: string): boolean {
  return text.includes('-') && parseTimestamp(text) !== undefined;
}
