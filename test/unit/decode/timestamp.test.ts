import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import * as fc from 'fast-check';
import {
  formatMilliseconds,
  formatTimestamp,
  parseTimestamp,
  parseTimestampAt,
} from '../../../src/decode/timestamp.ts';

const firstMs = Date.parse('0000-01-01T00:00:00Z');
const lastMs = Date.parse('9999-12-31T23:59:59.999Z');

/** Of a time that can be read. */
function formatted(timestamp: string | number): string {
  return formatTimestamp({ timestamp, timestampReadable: true, recordedAtMs: 0 });
}

const pad = (value: number, width = 2): string => String(value).padStart(width, '0');

interface Written {
  readonly text: string;
  /** Microseconds since 1970, rounded down. */
  readonly us: bigint;
  readonly fraction: string;
}

/** A time written in one of the many ways, and what `Date` says that it is. */
const written: fc.Arbitrary<Written> = fc
  .record({
    // Two days from either end: no offset leads out of the years that can be written.
    minute: fc.integer({ min: firstMs / 60_000 + 2_880, max: (lastMs + 1) / 60_000 - 2_880 }),
    second: fc.integer({ min: 0, max: 60 }),
    separator: fc.constantFrom('T', 't', ' '),
    mark: fc.constantFrom('.', ','),
    fraction: fc.string({ unit: fc.constantFrom(...'0123456789'.split('')), maxLength: 12 }),
    sign: fc.constantFrom(1, -1),
    hours: fc.integer({ min: 0, max: 23 }),
    minutes: fc.integer({ min: 0, max: 59 }),
    zone: fc.constantFrom('Z', 'z', '', '+hh', '+hhmm', '+hh:mm'),
  })
  .map((parts) => {
    const { second, fraction, sign, hours, minutes, zone } = parts;
    const minuteMs = parts.minute * 60_000;
    const local = new Date(minuteMs).toISOString();
    const offset = zone
      .replace('+', sign > 0 ? '+' : '-')
      .replace('hh', pad(hours))
      .replace('mm', pad(minutes));
    const offsetMinutes = zone.startsWith('+')
      ? sign * (hours * 60 + (zone.includes('mm') ? minutes : 0))
      : 0;
    const decimals = fraction === '' ? '' : parts.mark + fraction;
    return {
      text: `${local.slice(0, 10)}${parts.separator}${local.slice(11, 16)}:${pad(second)}${decimals}${offset}`,
      us:
        BigInt(minuteMs - offsetMinutes * 60_000 + second * 1_000) * 1_000n +
        BigInt(fraction.slice(0, 6).padEnd(6, '0')),
      fraction,
    };
  });

describe('parseTimestamp', () => {
  it('reads the usual forms', () => {
    const us = Date.UTC(2026, 10, 23, 17, 0, 0) * 1_000;
    for (const [text, plus] of [
      ['2026-11-23T17:00:00Z', 0],
      ['2026-11-23T17:00:00.123Z', 123_000],
      ['2026-11-23T17:00:00.123456Z', 123_456],
      ['2026-11-23T17:00:00.123456789Z', 123_456],
      ['2026-11-23T17:00:00.9999999999999Z', 999_999],
      ['2026-11-23T17:00:00,5Z', 500_000],
      ['2026-11-23t17:00:00z', 0],
      ['2026-11-23 17:00:00', 0],
      ['2026-11-23T17:00', 0],
      ['2026-11-23T17:00Z', 0],
      ['2026-11-23T19:00:00+02:00', 0],
      ['2026-11-23T19:00:00+0200', 0],
      ['2026-11-23T19:00:00+02', 0],
      ['2026-11-23T11:30:00.25-05:30', 250_000],
      ['2026-11-23T17:00:00-00:00', 0],
      ['2026-11-23T16:59:60Z', 0],
      ['2026-11-23', -17 * 3_600 * 1e6],
    ] as const) {
      assert.equal(parseTimestamp(text), us + plus, text);
    }
  });

  it('reads numbers as milliseconds, by the digits that they are written with', () => {
    assert.equal(parseTimestamp(1_700_000_000_123), 1_700_000_000_123_000);
    assert.equal(parseTimestamp(1234.567), 1_234_567);
    assert.equal(parseTimestamp(1.005), 1_005);
    assert.equal(parseTimestamp(0.0009), 0);
    assert.equal(parseTimestamp(-0.0001), -1);
    assert.equal(parseTimestamp(-1), -1_000);
    assert.equal(parseTimestamp(0), 0);
    assert.equal(parseTimestamp(-0), 0);
  });

  it('reads 13 digits in quotes as milliseconds, and does not guess at others', () => {
    assert.equal(parseTimestamp('1700000000123'), 1_700_000_000_123_000);
    for (const text of ['1700000000', '1700000000123456', '0', '20261123', '1700000000.12']) {
      assert.equal(parseTimestamp(text), undefined, text);
    }
  });

  it('refuses what is no time', () => {
    for (const value of [
      '',
      'now',
      '2026-11-23T',
      '2026-11-23T17',
      '2026-11-23T17:',
      '2026-11-23T17:00:',
      '2026-11-23T17:00:0',
      '2026-11-23T17:00:00.',
      '2026-11-23T17:00:00.Z',
      '2026-11-23T17:00:00ZZ',
      '2026-11-23T17:00:00 Z',
      '2026-11-23T17:00:00+',
      '2026-11-23T17:00:00+2',
      '2026-11-23T17:00:00+24:00',
      '2026-11-23T17:00:00+02:60',
      '2026-11-23T17:00:00+02:0',
      '2026-11-23T17:00:00+02-00',
      '2026-11-23T17:00:00.1X',
      '2026-11-23T17:00:61Z',
      '2026-11-23T17:60:00Z',
      '2026-11-23T24:00:00Z',
      '2026-11-23_17:00:00Z',
      '2026-13-01',
      '2026-00-01',
      '2026-01-00',
      '2026-02-29',
      '1900-02-29',
      '2026-04-31',
      '2026-1-1',
      '26-11-23',
      '-026-11-23',
      '+2026-11-23',
      ' 2026-11-23',
      '2026-11-23 ',
      '2026/11/23',
      '２０２６-11-23',
      `2026-11-23T17:00:00.${'0'.repeat(100)}Z`,
      // Not in the years 0000 to 9999 once in UTC.
      '0000-01-01T00:00:00+00:01',
      '9999-12-31T23:59:60Z',
      8.64e15,
      -1e15,
      1e300,
      Number.POSITIVE_INFINITY,
      Number.NaN,
      null,
      undefined,
      true,
      {},
      ['2026-11-23'],
      17n,
    ]) {
      assert.equal(parseTimestamp(value), undefined, inspect(value));
    }
  });

  it('knows the calendar', () => {
    const day = fc.record({
      year: fc.integer({ min: 0, max: 9999 }),
      month: fc.integer({ min: 0, max: 13 }),
      day: fc.integer({ min: 0, max: 32 }),
    });
    fc.assert(
      fc.property(day, ({ year, month, day }) => {
        const date = new Date(0);
        date.setUTCFullYear(year, month - 1, day);
        const exists = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
        const text = `${pad(year, 4)}-${pad(month)}-${pad(day)}`;
        assert.equal(parseTimestamp(text), exists ? date.getTime() * 1_000 : undefined, text);
      }),
      { numRuns: 2_000 },
    );
  });

  it('agrees with Date however a time is written', () => {
    fc.assert(
      fc.property(written, ({ text, us }) => {
        assert.equal(parseTimestamp(text), Number(us));
      }),
      { numRuns: 2_000 },
    );
  });

  it('reads the same in the middle of a record, whatever is around it', () => {
    const around = fc.string({ unit: fc.constantFrom(...'0123456789-:.Tz"'.split('')) });
    const text = fc.oneof(
      written.map((time) => time.text),
      around,
    );
    fc.assert(
      fc.property(text, around, around, (time, before, after) => {
        const start = before.length;
        const bytes = Buffer.from(before + time + after);
        assert.equal(parseTimestampAt(bytes, start, start + time.length), parseTimestamp(time));
      }),
      { numRuns: 2_000 },
    );
  });

  it('takes no other character for the digit that it shares its last bits with', () => {
    assert.equal(parseTimestamp('2026-11-2\u0133'), undefined);
  });

  it('keeps the order of times', () => {
    fc.assert(
      fc.property(written, written, (one, other) => {
        const [a, b] = one.us <= other.us ? [one, other] : [other, one];
        assert.ok((parseTimestamp(a.text) ?? Number.NaN) <= (parseTimestamp(b.text) ?? Number.NaN));
      }),
    );
  });

  it('finds the microseconds of every number that has whole ones', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 43) * 1_000, max: 2 ** 43 * 1_000 }), (us) => {
        assert.equal(parseTimestamp(us / 1_000), us);
      }),
    );
  });

  it('makes whole numbers of anything, or nothing', () => {
    const nearly = fc.string({
      unit: fc.constantFrom(...'0123456789-:.,TtZz+ '.split('')),
      maxLength: 30,
    });
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.string(), nearly, fc.double()), (value) => {
        const us = parseTimestamp(value);
        if (us === undefined) return;
        assert.ok(Number.isInteger(us));
        assert.ok(us >= firstMs * 1_000 && us <= (lastMs + 1) * 1_000);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('formatTimestamp', () => {
  it('leaves alone what is already as it should be', () => {
    for (const text of [
      '2026-11-23T17:00:00Z',
      '2026-11-23T17:00:00.5Z',
      '2026-11-23T17:00:00.123456789012Z',
    ]) {
      assert.equal(formatted(text), text);
    }
  });

  it('converts to UTC and keeps every digit', () => {
    assert.equal(formatted('2026-11-23 19:00:00,123456789+0200'), '2026-11-23T17:00:00.123456789Z');
    assert.equal(formatted('2026-11-23'), '2026-11-23T00:00:00Z');
    assert.equal(formatted('2026-11-23T17:00'), '2026-11-23T17:00:00Z');
    assert.equal(formatted('2026-11-23T17:00:00.120000'), '2026-11-23T17:00:00.120000Z');
    assert.equal(formatted('2016-12-31T23:59:60.5Z'), '2017-01-01T00:00:00.5Z');
    assert.equal(formatted('9999-12-31T23:59:59.999999Z'), '9999-12-31T23:59:59.999999Z');
    assert.equal(formatted('9999-12-31T23:59:59,999999'), '9999-12-31T23:59:59.999999Z');
  });

  it('gives numbers three digits, or as many as they have', () => {
    assert.equal(formatted(1_700_000_000_123), '2023-11-14T22:13:20.123Z');
    assert.equal(formatted('1700000000123'), '2023-11-14T22:13:20.123Z');
    assert.equal(formatted(1_700_000_000_000), '2023-11-14T22:13:20.000Z');
    assert.equal(formatted(1_700_000_000_123.456), '2023-11-14T22:13:20.123456Z');
    assert.equal(formatted(1234.5), '1970-01-01T00:00:01.2345Z');
    assert.equal(formatted(-0.5), '1969-12-31T23:59:59.9995Z');
    assert.equal(formatted(0.123456789), '1970-01-01T00:00:00.000123456Z');
    assert.equal(formatted(-1e-9), '1969-12-31T23:59:59.999999999Z');
    assert.equal(formatted(1e-9), '1970-01-01T00:00:00.000Z');
    assert.equal(formatted(-1000.0000000000001), '1969-12-31T23:59:58.999999999Z');
  });

  it('falls back to the time of the broker', () => {
    const recordedAtMs = Date.UTC(2026, 10, 23, 17);
    const expected = '2026-11-23T17:00:00.000Z';
    for (const event of [
      { timestamp: null, timestampReadable: true, recordedAtMs },
      { timestamp: null, timestampReadable: false, recordedAtMs },
      { timestamp: 'yesterday', timestampReadable: false, recordedAtMs },
      { timestamp: 1e300, timestampReadable: false, recordedAtMs },
    ]) {
      assert.equal(formatTimestamp(event), expected);
    }
  });

  it('means the same time, with the same digits', () => {
    fc.assert(
      fc.property(written, ({ text, us, fraction }) => {
        const output = formatted(text);
        assert.match(output, /^\d{4}-\d\d-\d\dT\d\d:\d\d:[0-5]\d(?:\.\d+)?Z$/);
        assert.equal(parseTimestamp(output), Number(us));
        assert.equal(output.slice(20, -1), fraction);
      }),
      { numRuns: 1_000 },
    );
  });

  it('means the same time for every number', () => {
    // From there on, the year 2248, neighbouring numbers are more than a microsecond apart.
    const maxMs = 2 ** 43;
    const ms = fc.oneof(
      fc.double({ min: -maxMs, max: maxMs, noNaN: true }),
      fc.double({ min: -10, max: 10, noNaN: true }),
    );
    fc.assert(
      fc.property(ms, (ms) => {
        const output = formatted(ms);
        assert.match(output, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,9}Z$/);
        assert.equal(parseTimestamp(output), parseTimestamp(ms));
      }),
      { numRuns: 1_000 },
    );
  });

  it('writes every number that can be a time', () => {
    fc.assert(
      fc.property(fc.double({ min: firstMs, max: lastMs, noNaN: true }), (ms) => {
        assert.match(formatted(ms), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,9}Z$/);
      }),
    );
  });
});

describe('formatMilliseconds', () => {
  it('writes what Date writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: firstMs, max: lastMs }), (ms) => {
        assert.equal(formatMilliseconds(ms), new Date(ms).toISOString());
        assert.equal(parseTimestamp(formatMilliseconds(ms)), ms * 1_000);
      }),
    );
  });

  it('keeps what is out of range at its edge', () => {
    assert.equal(formatMilliseconds(-1), '1969-12-31T23:59:59.999Z');
    for (const ms of [-(2 ** 63), Number.NEGATIVE_INFINITY, Number.NaN, firstMs - 1]) {
      assert.equal(formatMilliseconds(ms), '0000-01-01T00:00:00.000Z');
    }
    for (const ms of [2 ** 63, Number.POSITIVE_INFINITY, lastMs + 1]) {
      assert.equal(formatMilliseconds(ms), '9999-12-31T23:59:59.999Z');
    }
  });
});
