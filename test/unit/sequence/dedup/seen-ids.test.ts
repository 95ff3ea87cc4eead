import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { SeenIds } from '../../../../src/sequence/dedup/seen-ids.ts';

const mebibyte = 2 ** 20;

/** Spreads a number over 128 bits, as digests are. */
function digest(n: number): Int32Array {
  const words = new Int32Array(4);
  for (let word = 0; word < 4; word++) {
    let x = Math.imul(n + 1, 0x9e3779b1) ^ Math.imul(word + 1, 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
    x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
    words[word] = x ^ (x >>> 16);
  }
  return words;
}

test('an id is new once', () => {
  const seen = new SeenIds({ windowMs: 1_000, maxBytes: mebibyte });
  assert.equal(seen.add(digest(1), 0), true);
  assert.equal(seen.add(digest(1), 10), false);
  assert.equal(seen.add(digest(2), 10), true);
  assert.equal(seen.ids, 2);
});

test('digests that differ in one bit are two', () => {
  for (let bit = 0; bit < 128; bit++) {
    const seen = new SeenIds({ windowMs: 1_000, maxBytes: mebibyte });
    seen.add(digest(7), 0);
    const words = digest(7);
    words[bit >> 5] = (words[bit >> 5] ?? 0) ^ (1 << (bit & 31));
    assert.equal(seen.add(words, 0), true, `bit ${bit}`);
    assert.equal(seen.add(words, 0), false, `bit ${bit}`);
    assert.equal(seen.add(digest(7), 0), false, `bit ${bit}`);
  }
});

test('an id is known for the window, counted from its last copy, and forgotten soon after', () => {
  const seen = new SeenIds({ windowMs: 1_600, maxBytes: mebibyte });
  seen.add(digest(1), 0);
  seen.add(digest(2), 0);
  for (let at = 100; at <= 1_600; at += 100) {
    seen.add(digest(1_000 + at), at);
    seen.expire(at);
  }
  assert.equal(seen.add(digest(1), 1_600), false);
  seen.add(digest(3), 3_200);
  seen.expire(3_200);
  assert.equal(seen.add(digest(1), 3_200), false, 'its copy is as old as the window');
  assert.equal(seen.add(digest(2), 3_200), true);
});

test('a partition that is behind keeps ids from being forgotten', () => {
  const seen = new SeenIds({ windowMs: 1_000, maxBytes: mebibyte });
  seen.add(digest(1), 0);
  for (let at = 0; at < 100_000; at += 50) seen.add(digest(10 + at), at);
  seen.expire(500);
  assert.equal(seen.add(digest(1), 500), false);
});

test('the memory of forgotten ids is given back', () => {
  const seen = new SeenIds({ windowMs: 1_000, maxBytes: 8 * mebibyte });
  for (let n = 0; n < 50_000; n++) seen.add(digest(n), 0);
  const before = seen.bytes;
  assert.ok(before > 800_000);
  seen.expire(5_000);
  assert.equal(seen.ids, 0);
  assert.equal(seen.bytes, 0);
  for (let n = 0; n < 50_000; n++) assert.equal(seen.add(digest(n), 5_000), true);
  assert.ok(seen.bytes < before * 1.1);
});

test('slice numbers can come round many times', () => {
  const seen = new SeenIds({ windowMs: 160, maxBytes: mebibyte });
  for (let n = 0; n < 6_000; n++) {
    const at = n * 10;
    seen.expire(at);
    assert.equal(seen.add(digest(n), at), true);
    // A stale slot that bore a number given again would make a forgotten id known.
    if (n >= 40) assert.equal(seen.add(digest(n - 40), at), true, `${n}`);
    assert.equal(seen.add(digest(n), at), false);
  }
  assert.ok(seen.ids < 120, `${seen.ids}`);
});

test('bytes bound it: the oldest ids go first, and the covered window says so', () => {
  const maxBytes = mebibyte;
  const seen = new SeenIds({ windowMs: 1_000_000, maxBytes });
  const ids = 150_000;
  for (let n = 0; n < ids; n++) {
    seen.add(digest(n), n);
    assert.ok(seen.bytes <= maxBytes);
  }
  const { coveredMs } = seen;
  assert.ok(coveredMs > 35_000 && coveredMs < 60_000, `${coveredMs}`);
  for (let n = ids - coveredMs; n < ids; n++) {
    if (seen.add(digest(n), ids - 1)) assert.fail(`${n} is within the covered window`);
  }
});

test('ids that come again do not keep a slice from ending: few are forgotten at a time', () => {
  const maxBytes = 8 * mebibyte;
  const seen = new SeenIds({ windowMs: 1_000_000_000, maxBytes });
  let most = 0;
  for (let n = 0; n < 1_000_000; n++) {
    const before = seen.ids;
    seen.add(digest(n), n / 100);
    // With every second one comes a copy of an older one.
    if (n % 2 === 0 && n > 50_000) seen.add(digest(n - 50_000), n / 100);
    most = Math.max(most, before - seen.ids);
  }
  assert.ok(most > 0, 'the bytes do not suffice');
  assert.ok(most < maxBytes / 16 / 4, `${most} at once`);
});

test('what is covered grows from the start to the window', () => {
  const seen = new SeenIds({ windowMs: 1_000, maxBytes: mebibyte });
  assert.equal(seen.coveredMs, 0);
  seen.add(digest(1), 5_000);
  assert.equal(seen.coveredMs, 0);
  seen.add(digest(2), 5_400);
  assert.equal(seen.coveredMs, 400);
  seen.add(digest(3), 9_000);
  assert.equal(seen.coveredMs, 1_000);
});

test('beyond a million ids it needs no more than 21 bytes each', () => {
  const seen = new SeenIds({ windowMs: 1_000, maxBytes: 64 * mebibyte });
  let worst = 0;
  for (let n = 0; n < 1_600_000; n++) {
    seen.add(digest(n), 0);
    if (n > 1_300_000) worst = Math.max(worst, seen.bytes / seen.ids);
  }
  assert.ok(worst < 21, `${worst}`);
});

test('it answers as a map would', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ id: fc.nat(400), step: fc.nat(30) }), { maxLength: 400 }),
      (log) => {
        const windowMs = 320;
        const seen = new SeenIds({ windowMs, maxBytes: mebibyte });
        const last = new Map<number, number>();
        let at = 0;
        for (const { id, step } of log) {
          at += step;
          seen.expire(at);
          const before = last.get(id);
          const isNew = seen.add(digest(id), at);
          // Between the window and the end of its slice either answer is right.
          if (before === undefined || at - before > windowMs * 1.25) assert.equal(isNew, true);
          else if (at - before <= windowMs) assert.equal(isNew, false);
          last.set(id, at);
        }
      },
    ),
  );
});

test('limits that cannot be kept are refused', () => {
  assert.throws(() => new SeenIds({ windowMs: 1, maxBytes: 1_000 }), RangeError);
  assert.throws(() => new SeenIds({ windowMs: -1, maxBytes: mebibyte }), RangeError);
});
