import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { createDecoder, type EventPaths } from '../../../src/decode/decoder.ts';
import type { DeadLetter, Event } from '../../../src/decode/event.ts';
import { jsonText } from '../../support/arbitrary-json.ts';

const paths: EventPaths = {
  id: 'keen.id',
  timestamp: 'keen.timestamp',
  sequence: 'sequence_number',
};
const recordedAtMs = Date.UTC(2026, 10, 23, 17);

function decode(value: string | Buffer | null, using: EventPaths = paths): Event | DeadLetter {
  return createDecoder(using)(3, {
    offset: 41,
    timestampMs: recordedAtMs,
    key: null,
    value: typeof value === 'string' ? Buffer.from(value) : value,
  });
}

function event(value: string | Buffer, using: EventPaths = paths): Event {
  const decoded = decode(value, using);
  assert.equal(decoded.kind, 'event');
  return decoded;
}

function deadLetter(value: string | Buffer | null): DeadLetter {
  const decoded = decode(value);
  assert.equal(decoded.kind, 'deadLetter');
  assert.equal(decoded.source, 'BRIDGE');
  assert.equal(decoded.partition, 3);
  assert.equal(decoded.offset, 41);
  assert.equal(decoded.recordedAtMs, recordedAtMs);
  return decoded;
}

describe('an event', () => {
  it('has all that its record tells', () => {
    const json =
      '{ "keen": {"id":"5f1e","timestamp":"2026-11-23T17:00:00.123456"}, "sequence_number": 7 }\n';
    const { payload, timestamp } = event(json);
    assert.deepEqual(
      { ...decode(json), payload, timestamp },
      {
        kind: 'event',
        id: '5f1e',
        timestampUs: recordedAtMs * 1_000 + 123_456,
        timestamp: '2026-11-23T17:00:00.123456',
        timestampReadable: true,
        sequence: 7,
        json,
        payload: {
          keen: { id: '5f1e', timestamp: '2026-11-23T17:00:00.123456' },
          sequence_number: 7,
        },
        partition: 3,
        offset: 41,
        recordedAtMs,
      },
    );
  });

  it('needs neither id nor timestamp nor sequence, nor to be an object', () => {
    for (const json of ['{}', '[]', '0', '""', 'false', ' [null]']) {
      const decoded = event(json);
      assert.equal(decoded.id, null);
      assert.equal(decoded.timestampUs, recordedAtMs * 1_000);
      assert.equal(decoded.timestamp, null);
      assert.equal(decoded.timestampReadable, true);
      assert.equal(decoded.sequence, null);
      assert.equal(decoded.json, json);
    }
  });

  it('has the fields that its topic is set up with', () => {
    const using = { id: 'ids.1', timestamp: 'created\\.at', sequence: 'n' };
    const decoded = event('{"ids":["x","y"],"created.at":1234.5,"n":"0042"}', using);
    assert.equal(decoded.id, 'y');
    assert.equal(decoded.timestampUs, 1_234_500);
    assert.equal(decoded.timestamp, 1234.5);
    assert.equal(decoded.sequence, 42);
  });

  it('keeps its text as it is, but for a byte order mark before it', () => {
    fc.assert(
      fc.property(jsonText, (json) => {
        if (JSON.parse(json) === null) return;
        // An unpaired surrogate cannot be sent in UTF-8.
        const sent = json.toWellFormed();
        assert.equal(event(sent).json, sent);
        assert.equal(event(`\uFEFF${sent}`).json, sent);
        assert.deepEqual(event(`\uFEFF${sent}`).payload, event(sent).payload);
      }),
    );
  });

  it('may hold U+FFFD if it was sent', () => {
    assert.equal(event('"\uFFFD"').payload, '\uFFFD');
  });

  it('is up to 1,000 levels deep, and of any size', () => {
    const deep = `${'['.repeat(1_000)}${']'.repeat(1_000)}`;
    assert.equal(event(deep).json, deep);
    const large = JSON.stringify({ text: '[x]"\\'.repeat(200_000) });
    assert.equal(event(large).json, large);
  });

  it('does not share memory with its record', () => {
    const value = Buffer.from('{"keen":{"id":"5f1e"}}');
    const decoded = event(value);
    value.fill(0);
    assert.equal(decoded.json, '{"keen":{"id":"5f1e"}}');
  });
});

function idOf(source: string): string | null {
  return event(`{"keen":{"id":${source}}}`).id;
}

describe('the id of an event', () => {
  it('is a string as it is', () => {
    assert.equal(idOf('" 5F1e\\u00e9"'), ' 5F1eé');
  });

  it('is the digits of a number, all of them', () => {
    assert.equal(idOf('7'), '7');
    assert.equal(idOf('-1.50'), '-1.50');
    assert.equal(idOf('9007199254740993'), '9007199254740993');
    assert.equal(idOf('0.12345678901234567890'), '0.12345678901234567890');
    assert.equal(idOf('1e400'), '1e400');
    assert.equal(idOf('1,"id":12345678901234567891'), '12345678901234567891');
  });

  it('is missing where there is nothing of use', () => {
    for (const source of ['""', 'null', 'true', '{}', '["a"]']) assert.equal(idOf(source), null);
  });
});

function sequenceOf(source: string): number | bigint | null {
  return event(`{"sequence_number":${source}}`).sequence;
}

describe('the sequence of an event', () => {
  it('is an integer, exact at any size', () => {
    assert.equal(sequenceOf('0'), 0);
    assert.equal(sequenceOf('-0'), 0);
    assert.equal(sequenceOf('-7'), -7);
    assert.equal(sequenceOf('1e3'), 1_000);
    assert.equal(sequenceOf('9007199254740991'), Number.MAX_SAFE_INTEGER);
    assert.equal(sequenceOf('9007199254740992'), 9_007_199_254_740_992n);
    assert.equal(sequenceOf('9007199254740993'), 9_007_199_254_740_993n);
    assert.equal(sequenceOf('-18446744073709551616'), -18_446_744_073_709_551_616n);
  });

  it('may be a string of digits', () => {
    assert.equal(sequenceOf('"42"'), 42);
    assert.equal(sequenceOf('"-42"'), -42);
    assert.equal(sequenceOf('"9007199254740993"'), 9_007_199_254_740_993n);
  });

  it('is nothing else', () => {
    const longer = `"${'1'.repeat(39)}"`;
    const sources = ['1.5', 'null', 'true', '"1.0"', '"1e3"', '" 1"', '""', '"x"', '[1]', longer];
    for (const source of [...sources, '1e400', '9007199254740992.5']) {
      assert.equal(sequenceOf(source), null, source);
    }
  });
});

function timesOf(source: string): Partial<Event> {
  const { timestampUs, timestamp, timestampReadable } = event(`{"keen":{"timestamp":${source}}}`);
  return { timestampUs, timestamp, timestampReadable };
}

describe('the timestamp of an event', () => {
  const unreadable = { timestampUs: recordedAtMs * 1_000, timestampReadable: false };

  it('is kept as it came', () => {
    assert.deepEqual(timesOf('"1970-01-01 02:00:00,000001+02"'), {
      timestampUs: 1,
      timestamp: '1970-01-01 02:00:00,000001+02',
      timestampReadable: true,
    });
    assert.deepEqual(timesOf('0'), { timestampUs: 0, timestamp: 0, timestampReadable: true });
  });

  it('is the same however it is written in the text', () => {
    const times = timesOf('"2026-11-23T17:00:00.5Z"');
    assert.deepEqual(timesOf('"2026-11-23T17:00:00\\u002e5Z"'), times);
    assert.deepEqual(timesOf('"2026-11-23T17:00:00.5Z","name":"Zoë"'), times);
    assert.equal(times.timestampUs, recordedAtMs * 1_000 + 500_000);
    const marked = event('\uFEFF{"keen":{"timestamp":"2026-11-23T17:00:00.5Z"}}');
    assert.equal(marked.timestampUs, times.timestampUs);
    assert.equal(marked.timestamp, times.timestamp);
  });

  it('is that of the broker where it cannot be read', () => {
    assert.deepEqual(timesOf('"soon"'), { ...unreadable, timestamp: 'soon' });
    assert.deepEqual(timesOf('1e18'), { ...unreadable, timestamp: 1e18 });
    assert.deepEqual(timesOf('true'), { ...unreadable, timestamp: null });
    assert.deepEqual(timesOf('{"a":1}'), { ...unreadable, timestamp: null });
  });

  it('is that of the broker where there is none', () => {
    assert.deepEqual(timesOf('null'), {
      ...unreadable,
      timestamp: null,
      timestampReadable: true,
    });
  });
});

describe('a record that is no event', () => {
  it('is a dead letter with its text and what is wrong', () => {
    for (const [value, text, error] of [
      [null, '', /tombstone/],
      ['', '', /empty/],
      ['null', 'null', /`null`/],
      [' null\n', ' null\n', /`null`/],
      ['{"a":1', '{"a":1', /not valid JSON: /],
      ['{a:1}', '{a:1}', /not valid JSON: /],
      ['\uFEFF{', '\uFEFF{', /not valid JSON: /],
      ['\uFEFF\uFEFF{}', '\uFEFF\uFEFF{}', /not valid JSON: /],
      ['NaN', 'NaN', /not valid JSON: /],
      [Buffer.from([0x22, 0xff, 0x22]), '"\uFFFD"', /not valid UTF-8/],
      [Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), '"\uFFFD\uFFFD\uFFFD"', /not valid UTF-8/],
    ] as const) {
      const { event, error: message } = deadLetter(value);
      assert.equal(event, text);
      assert.match(message, error);
    }
  });

  it('is one nested deeper than 1,000 levels', () => {
    for (const levels of [1_001, 20_000, 500_000]) {
      const text = `${'['.repeat(levels)}${']'.repeat(levels)}`;
      assert.match(deadLetter(text).error, /deeper than 1000 levels/);
      assert.equal(deadLetter(text).event, text);
    }
  });

  it('is not told at length', () => {
    const { error } = deadLetter(`{"secret":${'x'.repeat(100_000)}`);
    assert.ok(error.length < 200, error);
    assert.doesNotMatch(error, /\.ts|file:/);
  });
});

describe('a hostile record', () => {
  it('does not reach what JavaScript has under the same names', () => {
    const using = { id: '__proto__.id', timestamp: 'constructor.name', sequence: 'length' };
    const decoded = event('[1,2]', using);
    assert.equal(decoded.id, null);
    assert.equal(decoded.timestamp, null);
    assert.equal(decoded.sequence, null);
    assert.equal(event('{"__proto__":{"id":"own"}}', using).id, 'own');
    assert.equal(event('{"__proto__":{"keen":{"id":"inherited"}}}').id, null);
    assert.equal(({} as { id?: unknown }).id, undefined);
  });

  it('does not change how the keys of others are read', () => {
    event('{"poisoned":1,"\\\\":2}');
    assert.deepEqual(event('{"poisoned":1,"\\u0062":2}').payload, { poisoned: 1, b: 2 });
  });

  it('never makes it throw', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 64 }).map((array) => Buffer.from(array)),
      jsonText.map((json) => Buffer.from(json)),
      fc
        .tuple(jsonText, fc.nat(), fc.integer({ min: 0, max: 255 }))
        .map(([json, position, byte]) => {
          const damaged = Buffer.from(json);
          damaged[position % damaged.length] = byte;
          return damaged;
        }),
    );
    fc.assert(
      fc.property(bytes, (value) => {
        const decoded = decode(value);
        if (decoded.kind === 'deadLetter') {
          assert.equal(decoded.event, value.toString('utf8'));
        } else {
          assert.ok(isUtf8(value));
          assert.doesNotThrow(() => JSON.parse(decoded.json));
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('memory', () => {
  it('nothing is kept of the answer that a record came in', async () => {
    const decoder = createDecoder(paths);
    const decodeOf = (text: string): WeakRef<ArrayBufferLike> => {
      const answer = Buffer.alloc(100_000, text);
      const value = answer.subarray(0, Buffer.byteLength(text));
      decoder(3, { offset: 41, timestampMs: recordedAtMs, key: null, value });
      return new WeakRef(answer.buffer);
    };
    for (const text of ['{"keen":{"id":"a"}}', '{"keen":{"id":"ä"}}', '{"keen":', 'null']) {
      const answer = decodeOf(text);
      // The engine keeps what a `WeakRef` was made of until the turn is over.
      await new Promise((resolve) => setImmediate(resolve));
      setFlagsFromString('--expose-gc');
      runInNewContext('gc')();
      assert.ok(answer.deref() === undefined, text);
    }
  });
});
