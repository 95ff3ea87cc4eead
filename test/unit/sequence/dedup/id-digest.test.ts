import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { ChaskeyMac } from '../../../../src/sequence/dedup/chaskey.ts';
import { IdDigester } from '../../../../src/sequence/dedup/id-digest.ts';

const idKey = Uint8Array.from({ length: 32 }, (_, at) => at * 7 + 1);

function digestOf(digester: IdDigester, id: string | null): string {
  digester.digest(id);
  return digester.words.join(',');
}

test('Chaskey-12 gives the published tags of its author', () => {
  // Messages are the bytes 0, 1, 2, ...; here those of even length, as texts have two bytes a unit.
  const vectors: readonly (readonly [number, readonly number[]])[] = [
    [0, [0x43cb1f41, 0x51eba0c2, 0xff0a8ac3, 0x7ee3f642]],
    [2, [0x57da70c5, 0x2a873cb0, 0x19ee8b2a, 0x165cd82e]],
    [4, [0x0b2b62db, 0x1e9e3f50, 0xa1b8dcad, 0xb4279ae0]],
    [6, [0x7c814dec, 0x149f38a0, 0x270046b9, 0xfb954c27]],
    [8, [0x9faf57d6, 0xf4bc02cf, 0x6af6d831, 0xd2930d90]],
    [14, [0xc133c9c0, 0x55df75b5, 0x0f18f729, 0x99b9837e]],
    [16, [0x5dd0e2a9, 0xfb5eac8c, 0x633a392e, 0x500c36f3]],
    [18, [0x0430889e, 0xb994dc9c, 0xa39d8d46, 0xf0b15fda]],
    [32, [0x77962784, 0x07c647fa, 0xdd752c0f, 0xd2f5a799]],
    [34, [0x4cddf615, 0xef51f2f3, 0xb254b4ae, 0xfdab76d9]],
    [48, [0xf36e748b, 0x8f34677f, 0x1e00ba1b, 0xdd7da46d]],
    [62, [0x0f40ed0f, 0xa69bc80f, 0x8e06f97c, 0x61e89697]],
  ];
  const mac = new ChaskeyMac(Int32Array.of(0x833d3433, 0x009f389f, 0x2398e64f, 0x417acf39));
  const tag = new Int32Array(4);
  for (const [length, expected] of vectors) {
    const bytes = Buffer.from(Array.from({ length }, (_, at) => at));
    mac.write(bytes.toString('utf16le'), tag);
    assert.deepEqual([...new Uint32Array(tag.buffer)], expected, `${length} bytes`);
  }
});

test('ids that differ in anything have different digests', () => {
  const digester = new IdDigester(idKey);
  const ids = [
    '',
    '0',
    '00',
    '\0',
    '5f0f3b2c9d8e7a6b5c4d3e2f',
    '5F0F3B2C9D8E7A6B5C4D3E2F',
    '5f0f3b2c9d8e7a6b5c4d3e2g',
    '5f0f3b2c9d8e7a6b5c4d3e2\u0166',
    '5f0f3b2c9d8e7a6b5c4d3e20',
    '000000000000000000000000',
    '00000000-0000-0000-0000-000000000000',
    '00000000-0000-4000-8000-000000000000',
    '00000000-0000-4000-8000-000000000001',
    '00000000-0000-4000-8000-00000000000A',
    '00000000-0000-4000-8000-00000000000a',
    '00000000-0000-4000-b000-000000000000',
    '00000000_0000-4000-8000-000000000000',
    '\ud800',
    '\ufffd',
  ];
  assert.equal(new Set(ids.map((id) => digestOf(digester, id))).size, ids.length);
});

test('every digit of a 24-digit id and of a UUID counts, and keeps its kind', () => {
  const digester = new IdDigester(idKey);
  fc.assert(
    fc.property(
      fc.stringMatching(/^[0-9a-f]{24}$/),
      fc.uuid(),
      fc.nat(23),
      fc.nat(35),
      fc.integer({ min: 1, max: 15 }),
      (hex, uuid, atHex, atUuid, by) => {
        const change = (text: string, at: number) =>
          text.slice(0, at) +
          ((Number.parseInt(text[at] ?? '', 16) + by) % 16).toString(16) +
          text.slice(at + 1);
        assert.notEqual(digestOf(digester, hex), digestOf(digester, change(hex, atHex)));
        if (uuid[atUuid] !== '-') {
          assert.notEqual(digestOf(digester, uuid), digestOf(digester, change(uuid, atUuid)));
        }
      },
    ),
  );
});

test('the digest of an id depends on the key, and on nothing before it', () => {
  const digester = new IdDigester(idKey);
  const other = new IdDigester(idKey.map((byte) => byte ^ 1));
  for (const id of ['order-1', '5f0f3b2c9d8e7a6b5c4d3e2f', crypto.randomUUID()]) {
    const digest = digestOf(digester, id);
    digestOf(digester, 'another');
    assert.equal(digestOf(digester, id), digest);
    assert.notEqual(digestOf(other, id), digest);
  }
  assert.equal(digestOf(digester, null), '0,0,0,0');
});

test('consecutive 24-digit ids spread over every eighth of every word', () => {
  const digester = new IdDigester(idKey);
  for (let word = 0; word < 4; word++) {
    const eighths = Array.from({ length: 8 }, () => 0);
    for (let n = 0; n < 800; n++) {
      digester.digest(n.toString(16).padStart(24, '0'));
      const eighth = (digester.words[word] ?? 0) >>> 29;
      eighths[eighth] = (eighths[eighth] ?? 0) + 1;
    }
    assert.ok(Math.min(...eighths) > 60 && Math.max(...eighths) < 140, eighths.join());
  }
});

test('a key of another length is refused', () => {
  assert.throws(() => new IdDigester(new Uint8Array(16)), RangeError);
});
