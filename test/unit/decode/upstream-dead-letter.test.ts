import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { DeadLetter } from '../../../src/decode/event.ts';
import { decodeUpstreamDeadLetter } from '../../../src/decode/upstream-dead-letter.ts';
import { anyText, jsonText } from '../../support/arbitrary-json.ts';

function decode(value: string | Buffer | null): DeadLetter {
  return decodeUpstreamDeadLetter(2, {
    offset: 5,
    timestampMs: 1_000,
    key: null,
    value: typeof value === 'string' ? Buffer.from(value) : value,
  });
}

describe('a record of a dead-letter topic', () => {
  it('has its event as it was, and the error', () => {
    assert.deepEqual(decode('{"event":"{\\"a\\": 1","error":"Unexpected end"}'), {
      kind: 'deadLetter',
      event: '{"a": 1',
      error: 'Unexpected end',
      source: 'UPSTREAM',
      partition: 2,
      offset: 5,
      recordedAtMs: 1_000,
    });
  });

  it('gives any text back as it is, also one that looks like JSON', () => {
    const text = fc.oneof(anyText, jsonText);
    fc.assert(
      fc.property(text, text, (event, error) => {
        const letter = decode(JSON.stringify({ event, error }));
        assert.equal(letter.source, 'UPSTREAM');
        assert.equal(letter.event, event);
        assert.equal(letter.error, error);
      }),
    );
  });

  it('gives the own text of an event that is no string', () => {
    const letter = decode(
      '{"event": {"n": 12345678901234567890, "a":[1.0]} , "error": {"code":7}}',
    );
    assert.equal(letter.source, 'UPSTREAM');
    assert.equal(letter.event, '{"n": 12345678901234567890, "a":[1.0]}');
    assert.equal(letter.error, '{"code":7}');
    assert.equal(decode('{"event":null,"error":""}').event, 'null');
  });

  it('may hold an event of any depth', () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    assert.equal(decode(`{"event":${deep},"error":""}`).event, deep);
  });

  it('is itself a dead letter if it cannot be read', () => {
    for (const [value, event, error] of [
      [null, '', /tombstone/],
      ['', '', /not valid JSON/],
      ['oops', 'oops', /not valid JSON/],
      [Buffer.from([0xff, 0x41]), '\uFFFDA', /not valid UTF-8/],
      ['null', 'null', /no `event`/],
      ['[]', '[]', /no `event`/],
      ['"event"', '"event"', /no `event`/],
      ['{"error":"e"}', '{"error":"e"}', /no `event`/],
      ['{"event":"e"}', '{"event":"e"}', /no `error`/],
      ['{"__proto__":{"event":"","error":""}}', '{"__proto__":{"event":"","error":""}}', /no/],
    ] as const) {
      const letter = decode(value);
      assert.equal(letter.source, 'BRIDGE');
      assert.equal(letter.event, event);
      assert.match(letter.error, error);
      assert.match(letter.error, /dead-letter topic/);
    }
  });

  it('never makes it throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 32 }), (bytes) => {
        const letter = decode(Buffer.from(bytes));
        assert.equal(letter.event, Buffer.from(bytes).toString('utf8'));
      }),
    );
  });
});
