import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DecodedEvent } from '../../../src/decode/decoded-event.ts';
import { ParsedPayloads } from '../../../src/decode/parsed-payloads.ts';
import { sketched } from '../../support/events.ts';

const KiB = 1_024;

test('of many payloads those are kept that were parsed last, of 1 to 2 MiB of text', () => {
  const payloads = new ParsedPayloads();
  const kept = new Set<number>();
  for (let index = 0; index < 1_000; index += 1) {
    kept.add(index);
    const forgetPayload = (): void => void kept.delete(index);
    payloads.add({ json: 'x'.repeat(10 * KiB), forgetPayload });
    assert.equal(payloads.length, kept.size * 10 * KiB);
    assert.ok(payloads.length < 2 * KiB * KiB + 10 * KiB);
    if (index > 200) assert.ok(payloads.length >= KiB * KiB);
  }
  assert.equal(Math.min(...kept) + kept.size, 1_000);
});

test('a payload is parsed once for all who ask soon, and again when it was forgotten', () => {
  const event = new DecodedEvent(sketched({ offset: 0, at: 0, json: '{"deep":{"x":1}}' }));
  const { payload } = event;
  assert.equal(event.payload, payload);
  event.forgetPayload();
  assert.notEqual(event.payload, payload);
  assert.deepEqual(event.payload, { deep: { x: 1 } });
});
