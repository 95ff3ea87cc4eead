import type { RawRecord } from '../kafka/port.ts';
import { bridgeDeadLetter } from './dead-letter.ts';
import { DecodedEvent } from './decoded-event.ts';
import type { DeadLetter, Event } from './event.ts';
import { exactInteger } from './integer.ts';
import { JsonScanner } from './json-scanner.ts';
import { parsePath } from './path.ts';
import { reasonOf, textOf, withoutByteOrderMark } from './record-text.ts';
import { parseTimestamp, parseTimestampAt } from './timestamp.ts';

/** Where a topic's events keep what the stream needs of them: dotted paths, see `parsePath`. */
export interface EventPaths {
  /** A string, or a number. */
  readonly id: string;
  /** What `parseTimestamp` reads. */
  readonly timestamp: string;
  /** An integer, as a number or a string of digits. */
  readonly sequence: string;
}

/** Never throws: what is no event is a dead letter, so that one bad record stops nothing. */
export type Decoder = (partition: number, record: RawRecord) => Event | DeadLetter;

/**
 * Arrays and objects nested deeper than this make a dead letter: whoever walks the payload, here or
 * in a browser, may do so recursively.
 */
const maxDepth = 1_000;

/** Positions of the paths in the scanner. */
const idTarget = 0;
const timestampTarget = 1;
const sequenceTarget = 2;
const rootTarget = 3;

/**
 * Makes the decoder of a topic. Any JSON value but `null` is an event, also one without id, timestamp
 * or sequence. A dead letter: a tombstone, an empty record, invalid UTF-8, invalid JSON, the value
 * `null`, more than 1,000 levels of nesting.
 *
 * It copies what it keeps: the record's buffer may be reused afterwards, and is not held on to.
 */
export function createDecoder(paths: EventPaths): Decoder {
  const scanner = new JsonScanner(
    [parsePath(paths.id), parsePath(paths.timestamp), parsePath(paths.sequence), []],
    maxDepth,
  );

  return (partition, record) => {
    const decoded = decode(partition, record);
    // Of a topic on which nothing more comes, the memory of a whole answer would be kept.
    scanner.release();
    return decoded;
  };

  function decode(partition: number, record: RawRecord): Event | DeadLetter {
    const { value } = record;
    if (value === null) {
      return bridgeDeadLetter(partition, record, '', 'The record is a tombstone: it has no value.');
    }
    if (value.length === 0) {
      return bridgeDeadLetter(partition, record, '', 'The record is empty.');
    }
    const text = textOf(value);
    if (text === undefined) {
      const error = 'The record is not valid UTF-8; what could not be read is shown as U+FFFD.';
      return bridgeDeadLetter(partition, record, value.toString('utf8'), error);
    }
    const json = withoutByteOrderMark(text);
    const bytes = json === text ? value : Buffer.from(json);
    const outcome = scanner.scan(bytes, json);
    if (outcome !== 'valid') {
      const error =
        outcome === 'tooDeep'
          ? `The record is nested deeper than ${maxDepth} levels.`
          : `The record is not valid JSON: ${reasonOf(json)}`;
      return bridgeDeadLetter(partition, record, text, error);
    }
    if (scanner.value(rootTarget) === null) {
      return bridgeDeadLetter(partition, record, text, 'The record is `null`, which is no event.');
    }

    // Nearly always it is a time that stands in the text as it is, of which nothing need be made yet.
    const timestampAt = scanner.stringStart(timestampTarget);
    const plainUs = parseTimestampAt(bytes, timestampAt, scanner.stringEnd(timestampTarget));
    const timestamp = plainUs === undefined ? scanner.value(timestampTarget) : null;
    const timestampUs = plainUs ?? parseTimestamp(timestamp);
    return new DecodedEvent(
      {
        kind: 'event',
        id: idOf(scanner.value(idTarget), scanner),
        timestampUs: timestampUs ?? record.timestampMs * 1_000,
        timestamp:
          typeof timestamp === 'string' || typeof timestamp === 'number' ? timestamp : null,
        timestampReadable:
          timestampUs !== undefined || timestamp === undefined || timestamp === null,
        sequence: sequenceOf(scanner.value(sequenceTarget), scanner),
        json,
        partition,
        offset: record.offset,
        recordedAtMs: record.timestampMs,
      },
      plainUs === undefined ? -1 : timestampAt,
    );
  }
}

function idOf(value: unknown, scanner: JsonScanner): string | null {
  if (typeof value === 'string') return value === '' ? null : value;
  if (typeof value !== 'number') return null;
  // Other numbers can have lost digits, by which alone two ids may differ.
  return Number.isSafeInteger(value) ? String(value) : (scanner.source(idTarget) ?? null);
}

function sequenceOf(value: unknown, scanner: JsonScanner): number | bigint | null {
  if (typeof value === 'number') {
    // Plus 0: never minus zero.
    if (Number.isSafeInteger(value)) return value + 0;
    return exactInteger(scanner.source(sequenceTarget) ?? '');
  }
  return typeof value === 'string' && /^-?\d{1,100}$/.test(value) ? exactInteger(value) : null;
}
