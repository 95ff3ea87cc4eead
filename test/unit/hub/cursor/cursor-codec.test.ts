import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { MillraceError } from '../../../../src/core/errors.ts';
import type { CursorBinding } from '../../../../src/hub/cursor/cursor-binding.ts';
import { CursorCodec, maxCursorLength } from '../../../../src/hub/cursor/cursor-codec.ts';
import { cursorKeyFrom } from '../../../../src/hub/cursor/cursor-key.ts';
import { maxLanes } from '../../../../src/hub/cursor/offsets-format.ts';
import type { StreamPosition } from '../../../../src/hub/cursor/stream-position.ts';
import { keyFrom } from '../../../../src/hub/shared-keys.ts';
import { compareOrderKeys, type OrderKey } from '../../../../src/sequence/order-key.ts';

const settings = {
  id: 'keen.id',
  timestamp: 'keen.timestamp',
  sequence: 'sequence_number',
  latenessMs: 2_000,
  maxAdvanceMs: 1_000,
};
const purchases = bindingOf({});
const secret = cursorKeyFrom('a secret of all instances');
const codec = new CursorCodec(secret, purchases);
const topicIds = ['6n2CY1TnQfW8c1Vu0mC2oA'] as const;

function bindingOf(
  events: Partial<Extract<CursorBinding['stream'], { kind: 'events' }>>,
  more: Partial<CursorBinding> = {},
): CursorBinding {
  return {
    projectId: 'staging',
    kafkaTopic: 'purchases',
    stream: { kind: 'events', order: 'TIMESTAMP', deduplicate: true, settings, ...events },
    ...more,
  };
}

const timeUs = fc.oneof(
  fc.integer({ min: 1_600_000_000_000_000, max: 2_000_000_000_000_000 }),
  fc.maxSafeInteger(),
  fc.constantFrom(0, -2_000_000, 9e21, -9e21, 2 ** 52, 2 ** 53),
);
const value = fc.oneof(
  timeUs,
  fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }),
  fc.maxSafeInteger(),
);
const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const orderKey: fc.Arbitrary<OrderKey> = fc.record({
  time: timeUs,
  value,
  id: fc.tuple(word, word, word, word),
  partition: fc.nat(20),
  offset: fc.integer({ min: 0, max: 2 ** 51 }),
});
const lane = fc.record({
  next: fc.oneof(fc.nat(10), fc.integer({ min: 0, max: 2 ** 51 })),
  behind: fc.nat(1_000_000),
  epoch: fc.option(fc.nat(2_000_000)),
});
const cursor = fc
  .record({ key: fc.option(orderKey), lanes: fc.array(lane, { maxLength: 24 }) })
  .map(({ key, lanes }) => {
    const next = lanes.map((lane) => lane.next);
    const lowest = lanes.map(({ next, behind }) => Math.max(0, next - behind));
    return { position: { key, next, lowest }, epochs: lanes.map(({ epoch }) => epoch) };
  });

function encode(position: StreamPosition, epochs: readonly (number | null)[] = []): string {
  return codec.encode(position, { topicIds, epochs });
}

function refused(text: string, by = codec): MillraceError {
  try {
    by.decode(text, topicIds);
  } catch (error) {
    assert.ok(error instanceof MillraceError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: `accepted: ${text}` });
}

/** Equal as keys are: a bigint and a number can be. */
function assertSame(actual: StreamPosition, expected: StreamPosition): void {
  const { key, ...offsets } = actual;
  const { key: expectedKey, ...expectedOffsets } = expected;
  assert.deepEqual(offsets, expectedOffsets);
  if (key === null || expectedKey === null) assert.equal(key, expectedKey);
  else assert.equal(compareOrderKeys(key, expectedKey), 0);
}

test('any position comes back as it was, with its leader epochs', () => {
  fc.assert(
    fc.property(cursor, ({ position, epochs }) => {
      const text = encode(position, epochs);
      assert.match(text, /^[\w-]+$/);
      const decoded = codec.decode(text, topicIds);
      assertSame(decoded.position, position);
      assert.deepEqual(decoded.epochs, epochs);
    }),
  );
});

test('every change of a bit, every shorter or longer text is refused', () => {
  fc.assert(
    fc.property(cursor, ({ position, epochs }) => {
      const text = encode(position, epochs);
      const bytes = Buffer.from(text, 'base64url');
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = Buffer.from(bytes);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        assert.equal(refused(flipped.toString('base64url')).code, 'CURSOR_INVALID');
      }
      for (let length = 0; length < text.length; length++) {
        assert.equal(refused(text.slice(0, length)).code, 'CURSOR_INVALID');
      }
      for (const end of ['A', '=', ' ', '\n', '\0']) refused(text + end);
    }),
    { numRuns: 10 },
  );
});

test('a text has one writing: unused bits, other alphabets and padding are refused', () => {
  fc.assert(
    fc.property(cursor, fc.nat(), ({ position, epochs }, at) => {
      const text = encode(position, epochs);
      for (const other of 'AQgwBZz09-_+/=') {
        const place = at % text.length;
        const changed = text.slice(0, place) + other + text.slice(place + 1);
        if (changed !== text) refused(changed);
      }
    }),
  );
});

test('any text at all is answered with CURSOR_INVALID and what to do', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.base64String(), fc.uint8Array().map(base64url)),
      (text) => {
        const { code, message } = refused(text);
        assert.equal(code, 'CURSOR_INVALID');
        assert.match(message, /start without it|none of ours/);
      },
    ),
  );
  assert.match(refused('A'.repeat(maxCursorLength + 1)).message, /longer than/);
});

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

const position: StreamPosition = {
  key: {
    time: 1_764_072_000_123_456,
    value: 1_764_072_000_123_456,
    id: [1, -2, 3, -4],
    partition: 1,
    offset: 41,
  },
  next: [7, 42, 0],
  lowest: [5, 42, 0],
};

test('a cursor of another project, topic, order, or way of reading is refused', () => {
  const others: Record<string, CursorBinding> = {
    project: bindingOf({}, { projectId: 'production' }),
    topic: bindingOf({}, { kafkaTopic: 'signups' }),
    order: bindingOf({ order: 'SEQUENCE' }),
    deduplicate: bindingOf({ deduplicate: false }),
    id: bindingOf({ settings: { ...settings, id: 'id' } }),
    timestamp: bindingOf({ settings: { ...settings, timestamp: 'at' } }),
    lateness: bindingOf({ settings: { ...settings, latenessMs: 3_000 } }),
    maxAdvance: bindingOf({ settings: { ...settings, maxAdvanceMs: 2_000 } }),
    deadLetters: bindingOf(
      {},
      { stream: { kind: 'deadLetters', deadLetterTopic: 'purchases-dlq' } },
    ),
  };
  for (const [name, binding] of Object.entries(others)) {
    const other = new CursorCodec(secret, binding);
    const { code, message } = refused(encode(position), other);
    assert.equal(code, 'CURSOR_INVALID', name);
    assert.match(message, /same topic, order/, name);
  }
});

test('names that run into each other are not the same binding', () => {
  const one = new CursorCodec(secret, bindingOf({}, { projectId: 'a', kafkaTopic: 'b,c' }));
  const other = new CursorCodec(secret, bindingOf({}, { projectId: 'a","b', kafkaTopic: 'c' }));
  refused(one.encode(position, { topicIds, epochs: [] }), other);
});

test('what does not decide the order may change: the sequence path of a TIMESTAMP stream', () => {
  const other = new CursorCodec(
    secret,
    bindingOf({ settings: { ...settings, sequence: 'number' } }),
  );
  assertSame(other.decode(encode(position), topicIds).position, position);
});

test('the settings of times do not bind a cursor by number, or by arrival', () => {
  for (const order of ['SEQUENCE', 'ARRIVAL'] as const) {
    const one = new CursorCodec(secret, bindingOf({ order }));
    const slower = { ...settings, latenessMs: 9_000, timestamp: 'at' };
    const other = new CursorCodec(secret, bindingOf({ order, settings: slower }));
    const text = one.encode(position, { topicIds, epochs: [] });
    assertSame(other.decode(text, topicIds).position, position);
  }
});

test('another secret refuses; the key is not that of the ids', () => {
  refused(encode(position), new CursorCodec(cursorKeyFrom('another secret'), purchases));
  assert.notDeepEqual(cursorKeyFrom('x'), new Uint8Array(keyFrom('x')));
  assert.equal(cursorKeyFrom('x').length, 32);
});

test('a topic that was created again is told apart from a wrong cursor', () => {
  const text = encode(position);
  assert.throws(() => codec.decode(text, ['another id']), { code: 'TOPIC_RECREATED' });
  // Where either side does not know the id, nothing can be said.
  assertSame(codec.decode(text, [null]).position, position);
  const unknown = codec.encode(position, { topicIds: [null], epochs: [] });
  assertSame(codec.decode(unknown, ['another id']).position, position);
});

test('dead letters: a dead-letter topic may come later; either one created again is told', () => {
  const deadLetters = new CursorCodec(secret, {
    projectId: 'staging',
    kafkaTopic: 'purchases',
    stream: { kind: 'deadLetters', deadLetterTopic: 'purchases-dlq' },
  });
  const next = [5, 0, 7, 0];
  const at = { key: null, next, lowest: next };
  const text = deadLetters.encode(at, { topicIds: ['a', null], epochs: [3, null, 4, null] });
  assert.deepEqual(deadLetters.decode(text, ['a', 'b']).position, at);
  assert.deepEqual(deadLetters.decode(text, ['a', 'b']).epochs, [3, null, 4, null]);
  const later = deadLetters.encode(at, { topicIds: ['a', 'b'], epochs: [] });
  assert.throws(() => deadLetters.decode(later, ['a', 'c']), { code: 'TOPIC_RECREATED' });
  assert.throws(() => deadLetters.decode(later, ['c', 'b']), { code: 'TOPIC_RECREATED' });
});

/** As large as a real one gets: offsets of a year at 300/s, a million held, an epoch for each day of it. */
const largest = fc.record({
  key: fc.record({
    time: fc.integer({ min: 1_600_000_000_000_000, max: 2_000_000_000_000_000 }),
    // Its own time may be anything: 1970, 2099.
    value: fc.integer({ min: -62_135_596_800_000_000, max: 4_102_444_800_000_000 }).map(bounded),
    id: fc.tuple(word, word, word, word),
    partition: fc.nat(8),
    offset: fc.constant(9_999_000_000),
  }),
  next: fc.array(fc.integer({ min: 9_999_000_001, max: 10_000_000_000 }), nine()),
  behind: fc.array(fc.nat(1_000_000), nine()),
  epochs: fc.array(fc.integer({ min: 300, max: 400 }), nine()),
});

function bounded(value: number): number {
  return Math.max(value, -(2 ** 50));
}

function nine(): { minLength: number; maxLength: number } {
  return { minLength: 9, maxLength: 9 };
}

test('at 9 partitions a cursor has at most 172 characters', () => {
  const order = fc.constantFrom(...(['TIMESTAMP', 'SEQUENCE'] as const));
  let longest = 0;
  fc.assert(
    fc.property(largest, order, ({ key, next, behind, epochs }, order) => {
      const lowest = next.map((offset, lane) => offset - (behind[lane] ?? 0));
      const inOrder = order === 'TIMESTAMP' ? key : { ...key, time: 0 };
      const text = encode({ key: inOrder, next, lowest }, epochs);
      longest = Math.max(longest, text.length);
    }),
    { numRuns: 1_000 },
  );
  assert.ok(longest <= 172, `${longest}`);
});

test('at 9 partitions of each topic, so has one of dead letters', () => {
  const deadLetters = new CursorCodec(secret, {
    ...purchases,
    stream: { kind: 'deadLetters', deadLetterTopic: 'purchases-dlq' },
  });
  const next = Array.from({ length: 18 }, (_, lane) => 10_000_000_000 - lane);
  const epochs = next.map((_, lane) => 300 + lane * 7);
  const text = deadLetters.encode(
    { key: null, next, lowest: next },
    { topicIds: ['a', 'b'], epochs },
  );
  assert.ok(text.length <= 172, `${text.length}`);
});

test('more partitions than a cursor can hold are refused, and the codec goes on', () => {
  const next = Array.from({ length: maxLanes + 1 }, () => 1);
  assert.throws(() => encode({ key: null, next, lowest: next }), RangeError);
  assertSame(codec.decode(encode(position), topicIds).position, position);
  const all = Array.from({ length: maxLanes }, () => 2 ** 52);
  const text = encode({ key: null, next: all, lowest: all });
  assert.ok(text.length <= maxCursorLength);
  assertSame(codec.decode(text, topicIds).position, { key: null, next: all, lowest: all });
});

test('positions that share their arrays, and some that do not, are not mixed up', () => {
  const other = { ...position, next: [9, 42, 0] };
  for (const each of [position, other, position, { ...position, key: null }, other]) {
    assertSame(codec.decode(encode(each), topicIds).position, each);
  }
  const log = { topicIds, epochs: [1, 2, 3] };
  assert.deepEqual(codec.decode(codec.encode(position, log), topicIds).epochs, [1, 2, 3]);
  assert.deepEqual(codec.decode(encode(position), topicIds).epochs, [null, null, null]);
});

test('version 1 stays as it is: cursors that clients hold must be readable', () => {
  for (const [text, [position, epochs]] of Object.entries(golden)) {
    assert.equal(codec.encode(position, { topicIds, epochs }), text);
    const decoded = codec.decode(text, topicIds);
    assertSame(decoded.position, position);
    assert.deepEqual(decoded.epochs, epochs);
  }
});

test('another version says so', () => {
  const bytes = Buffer.from(encode(position), 'base64url');
  bytes[0] = (bytes[0] ?? 0) ^ 0b0110_0000;
  assert.match(refused(bytes.toString('base64url')).message, /another version/);
});

const golden: Record<string, [StreamPosition, readonly (number | null)[]]> = {
  KGaxgmIDBgIBAx6gIDgAgMnnzsCaogYAAAAAAf____4AAAAD_____AEAYCSZ0mwHlDshTRRv: [
    position,
    [0, 5, null],
  ],
  'IGaxgmIBIgoSAZUC-QA-iEoKvHVpsHgbB4Rzhw': [
    { key: null, next: [10_000_000_000], lowest: [9_999_999_000] },
    [17],
  ],
  KmaxgmIBAQAAgAAWAAAAAAAAAAAAAAEAAAAAAAAAAAAAAAAAAAAAAACpBARUbNhHiWI8q2w: [
    {
      key: { time: 0, value: 2n ** 80n, id: [0, 0, 0, 0], partition: 0, offset: 0 },
      next: [1],
      lowest: [1],
    },
    [null],
  ],
};
