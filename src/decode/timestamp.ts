import type { Event } from './event.ts';

const space = 0x20;
const plus = 0x2b;
const comma = 0x2c;
const minus = 0x2d;
const point = 0x2e;
const zero = 0x30;
const colon = 0x3a;
const upperT = 0x54;
const upperZ = 0x5a;
const lowerT = 0x74;
const lowerZ = 0x7a;

/** 0000-01-01T00:00:00.000Z, the first time that RFC 3339 can write, in milliseconds since 1970. */
const firstMs = -62_167_219_200_000;
/** 9999-12-31T23:59:59.999Z, the last one. */
const lastMs = 253_402_300_799_999;

const nanosPerSecond = 1_000_000_000n;

/** Below 0 also as one half of a year. */
const noDigits = -10_000;

/** Longer texts are no times: no sender has a clock of so many digits. */
const maxTextLength = 64;

/**
 * Reads an event's own time.
 *
 * - A string: RFC 3339, with the liberties of ISO 8601 that senders take: `T`, `t` or a space before
 *   the time; `Z`, `z`, `+hh:mm`, `+hhmm`, `+hh` or no zone (UTC); seconds may be missing, or the
 *   whole time (midnight); any number of fractional digits after `.` or `,`. A second of 60 is the
 *   first of the next minute. The calendar is checked. 24:00 is no time.
 * - A string of exactly 13 digits: milliseconds since 1970, which someone put in quotes. At that
 *   length, years 2001 to 2286, it can be neither seconds nor microseconds. Other lengths could be,
 *   and are not guessed at.
 * - A number: milliseconds since 1970, with or without a fraction.
 *
 * @returns whole microseconds since 1970, rounded down (beyond 2^53, years before 1684 and after
 * 2255, to the next number that there is); `undefined` for anything else, and for what lies outside
 * the years 0000 to 9999 in UTC.
 */
export function parseTimestamp(value: unknown): number | undefined {
  if (typeof value === 'string') return scanText(value) ? scannedUs() : undefined;
  if (typeof value === 'number') return isExpressible(value) ? microseconds(value) : undefined;
  return undefined;
}

/** The same of a string whose ASCII bytes stand in `start..end`, without making a string of them. */
export function parseTimestampAt(
  bytes: Uint8Array,
  start: number,
  end: number,
): number | undefined {
  return scan(bytes, start, end) ? scannedUs() : undefined;
}

/**
 * An event's time as RFC 3339 in UTC, with `Z` and never fewer fractional digits than it came with;
 * a number has at least three and at most nine. Where it has none that can be read: the broker's
 * time, three digits.
 */
export function formatTimestamp(
  event: Pick<Event, 'timestamp' | 'timestampReadable' | 'recordedAtMs'>,
): string {
  const { timestamp } = event;
  if (event.timestampReadable) {
    if (typeof timestamp === 'string' && scanText(timestamp)) return formatScanned(timestamp);
    if (typeof timestamp === 'number' && isExpressible(timestamp)) return formatNumber(timestamp);
  }
  return formatMilliseconds(event.recordedAtMs);
}

/**
 * Milliseconds since 1970 as RFC 3339 with three fractional digits. Never throws: brokers pass on any
 * 64 bits that a producer calls a time, and what is outside the years 0000 to 9999 becomes the
 * nearest time inside.
 */
export function formatMilliseconds(ms: number): string {
  return new Date(ms >= firstMs ? Math.min(Math.floor(ms), lastMs) : firstMs).toISOString();
}

function isExpressible(ms: number): boolean {
  return ms >= firstMs && ms < lastMs + 1;
}

function microseconds(ms: number): number {
  // Plus 0: never minus zero.
  if (Number.isInteger(ms)) return ms * 1_000 + 0;
  // Not `floor`: 1234.567 is slightly less than its digits say. Whether a whole number of microseconds
  // is above it must be asked in milliseconds, where both are rounded alike.
  const nearest = Math.round(ms * 1_000);
  return nearest / 1_000 > ms ? nearest - 1 : nearest;
}

/** Texts are scanned as bytes, as records have them: to ask a string for its characters takes longer. */
const textBytes = Buffer.alloc(maxTextLength);

function scanText(text: string): boolean {
  const { length } = text;
  if (length > maxTextLength) return false;
  for (let at = 0; at < length; at += 1) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) return false;
    textBytes[at] = code;
  }
  return scan(textBytes, 0, length);
}

function scannedUs(): number {
  return scanned.seconds * 1_000_000 + scanned.micros;
}

/** What the last successful `scan` found. One for all: nothing is allocated for each record. */
const scanned = {
  /** Since 1970, UTC, rounded down. */
  seconds: 0,
  /** The rest, 0 to 999,999. */
  micros: 0,
  /** The fractional digits, from the start of the text. */
  fractionStart: 0,
  fractionEnd: 0,
  /** The text is what `formatTimestamp` would write. */
  canonical: false,
};

function scan(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start;
  if (length > maxTextLength) return false;
  if (length === 13) {
    const ms = digits(bytes, start, start + 13);
    if (ms >= 0) return scanMilliseconds(ms);
  }
  if (length < 10 || bytes[start + 4] !== minus || bytes[start + 7] !== minus) return false;
  const year = twoDigits(bytes, start) * 100 + twoDigits(bytes, start + 2);
  const month = twoDigits(bytes, start + 5);
  const day = twoDigits(bytes, start + 8);
  let seconds = midnight(year, month, day);
  if (seconds === undefined) return false;
  scanned.micros = 0;
  scanned.fractionStart = 0;
  scanned.fractionEnd = 0;
  scanned.canonical = false;

  if (length > 10) {
    if (length < 16 || bytes[start + 13] !== colon) return false;
    const separator = bytes[start + 10];
    if (separator !== upperT && separator !== lowerT && separator !== space) return false;
    const hour = twoDigits(bytes, start + 11);
    const minute = twoDigits(bytes, start + 14);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return false;
    seconds += hour * 3_600 + minute * 60;

    let at = 16;
    let canonical = false;
    if (length > 16 && bytes[start + 16] === colon) {
      if (length < 19) return false;
      const second = twoDigits(bytes, start + 17);
      if (second < 0 || second > 60) return false;
      seconds += second;
      canonical = separator === upperT && second < 60;
      at = 19;
      if (length > 19) {
        const mark = bytes[start + 19];
        if (mark === point || mark === comma) {
          at = scanFraction(bytes, start, length);
          if (at === 20) return false;
          canonical &&= mark === point;
        }
      }
    }
    if (at < length) {
      const zone = bytes[start + at];
      if (zone === upperZ || zone === lowerZ) {
        if (at + 1 !== length) return false;
        scanned.canonical = canonical && zone === upperZ;
      } else {
        const offset = offsetSeconds(bytes, start + at, end);
        if (offset === undefined) return false;
        seconds -= offset;
      }
    }
  }
  scanned.seconds = seconds;
  return seconds * 1_000 >= firstMs && seconds * 1_000 <= lastMs;
}

function scanMilliseconds(ms: number): boolean {
  scanned.seconds = Math.floor(ms / 1_000);
  scanned.micros = (ms % 1_000) * 1_000;
  scanned.fractionStart = 10;
  scanned.fractionEnd = 13;
  scanned.canonical = false;
  return true;
}

/** Reads the digits from position 20 on; the position behind them. */
function scanFraction(bytes: Uint8Array, start: number, length: number): number {
  let at = 20;
  let micros = 0;
  let read = 0;
  while (at < length) {
    const digit = (bytes[start + at] ?? 0) - zero;
    if (digit < 0 || digit > 9) break;
    // What is less than a microsecond is cut off: rounding down, as the seconds before are.
    if (read < 6) {
      micros = micros * 10 + digit;
      read += 1;
    }
    at += 1;
  }
  for (; read < 6; read += 1) micros *= 10;
  scanned.micros = micros;
  scanned.fractionStart = 20;
  scanned.fractionEnd = at;
  return at;
}

/** `+hh:mm`, `+hhmm` or `+hh`, either sign, as all that there is in `at..end`. */
function offsetSeconds(bytes: Uint8Array, at: number, end: number): number | undefined {
  const sign = bytes[at];
  const rest = end - at;
  if ((sign !== plus && sign !== minus) || rest < 3) return undefined;
  const hours = twoDigits(bytes, at + 1);
  let minutes = 0;
  if (rest === 5) {
    minutes = twoDigits(bytes, at + 3);
  } else if (rest === 6 && bytes[at + 3] === colon) {
    minutes = twoDigits(bytes, at + 4);
  } else if (rest !== 3) {
    return undefined;
  }
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return undefined;
  const offset = hours * 3_600 + minutes * 60;
  return sign === minus ? -offset : offset;
}

/** The number of two digits at `at`, far below 0 if there are none. */
function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = (bytes[at] ?? 0) - zero;
  const ones = (bytes[at + 1] ?? 0) - zero;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : noDigits;
}

/** The number in `start..end`; -1 if not all of it are digits. */
function digits(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at += 1) {
    const digit = (bytes[at] ?? 0) - zero;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

/** The date that was read last, which most of the next ones are, and its midnight. */
const lastDate = { year: 1970, month: 1, day: 1, seconds: 0 };

/** Seconds from 1970 to a date; undefined: the calendar has no such date. */
function midnight(year: number, month: number, day: number): number | undefined {
  if (day !== lastDate.day || month !== lastDate.month || year !== lastDate.year) {
    if (year < 0 || month < 1 || month > 12) return undefined;
    if (day < 1 || day > daysInMonth(year, month)) return undefined;
    lastDate.year = year;
    lastDate.month = month;
    lastDate.day = day;
    lastDate.seconds = daysSince1970(year, month, day) * 86_400;
  }
  return lastDate.seconds;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/**
 * Days from 1970-01-01 in the proleptic Gregorian calendar. `days_from_civil` of Howard Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms": years are counted from March, so that the leap day
 * is the last, in eras of 400 years.
 */
function daysSince1970(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Of the text that `scan` has just read. */
function formatScanned(text: string): string {
  if (scanned.canonical) return text;
  return withFraction(scanned.seconds, text.slice(scanned.fractionStart, scanned.fractionEnd));
}

function formatNumber(ms: number): string {
  if (Number.isInteger(ms)) return formatMilliseconds(ms);
  const nanos = nanoseconds(ms);
  const subsecond = ((nanos % nanosPerSecond) + nanosPerSecond) % nanosPerSecond;
  const fraction = String(subsecond).padStart(9, '0');
  return withFraction(
    Number((nanos - subsecond) / nanosPerSecond),
    fraction.slice(0, 3) + fraction.slice(3).replace(/0+$/, ''),
  );
}

/** By the digits that the number is written with, not by the binary fraction that it is. */
function nanoseconds(ms: number): bigint {
  const text = String(ms);
  // Below a nanosecond it is written with an exponent.
  if (text.includes('e')) return ms < 0 ? -1n : 0n;
  const [whole = '', fraction = ''] = text.split('.');
  const cut = BigInt(whole + fraction.slice(0, 6).padEnd(6, '0'));
  return ms < 0 && fraction.length > 6 ? cut - 1n : cut;
}

function withFraction(seconds: number, fraction: string): string {
  const whole = new Date(seconds * 1_000).toISOString().slice(0, 19);
  return fraction === '' ? `${whole}Z` : `${whole}.${fraction}Z`;
}
