import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  formatBytes,
  formatDurationMs,
  parseBytes,
  parseDurationMs,
} from '../../../src/config/quantity.ts';

test('reads durations with their units', () => {
  const expected = {
    '500ms': 500,
    '2s': 2_000,
    '1.5h': 5_400_000,
    '10 m': 600_000,
    '4d': 345_600_000,
  };
  for (const [text, milliseconds] of Object.entries(expected)) {
    assert.equal(parseDurationMs(text), milliseconds, text);
  }
  assert.equal(parseDurationMs('0'), 0);
});

test('refuses what is no duration', () => {
  for (const text of [
    '',
    '2',
    '-2s',
    '2sec',
    's',
    '1s2m',
    '2S',
    '1e3s',
    '0.0001s',
    'constructor',
    '1constructor',
  ]) {
    assert.equal(parseDurationMs(text), null, text);
  }
});

test('reads sizes with and without units', () => {
  const expected = {
    '0': 0,
    '65536': 65_536,
    '64KiB': 65_536,
    '1.5MiB': 1_572_864,
    '1MB': 1_000_000,
  };
  for (const [text, size] of Object.entries(expected)) assert.equal(parseBytes(text), size, text);
  for (const text of ['', '1.5', '64K', '-1B', '9007199254740993']) {
    assert.equal(parseBytes(text), null, text);
  }
});

test('what is formatted is read back', () => {
  fc.assert(
    fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (amount) => {
      assert.equal(parseDurationMs(formatDurationMs(amount)), amount);
      assert.equal(parseBytes(formatBytes(amount)), amount);
    }),
  );
});
