import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { parseAuthorization, parseCredentials } from '../../../src/auth/authorization.ts';

function basic(text: string | Buffer): string {
  return `Basic ${Buffer.from(text).toString('base64')}`;
}

test('a Basic header holds project id and key', () => {
  const credentials = { projectId: 'p', key: 'k' };
  assert.deepEqual(parseAuthorization(basic('p:k')), credentials);
  assert.deepEqual(
    parseAuthorization(`  bAsIc   ${Buffer.from('p:k').toString('base64')} `),
    credentials,
  );
  assert.deepEqual(parseAuthorization(basic('p:k:with:colons')), {
    projectId: 'p',
    key: 'k:with:colons',
  });
});

test('any pair without a colon in the id and NUL survives the header', () => {
  const part = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(
      part.filter((text) => !text.includes(':')),
      part,
      (projectId, key) => {
        assert.deepEqual(parseAuthorization(basic(`${projectId}:${key}`)), { projectId, key });
      },
    ),
  );
});

const headers: Readonly<Record<string, readonly [string | undefined, RegExp]>> = {
  'no header': [undefined, /^no Authorization header/],
  'an empty header': ['  ', /^no Authorization header/],
  'another scheme': ['Digest x', /neither Basic nor Bearer/],
  'the scheme alone': ['Basic', /not base64/],
  'no base64': ['Basic a:b', /not base64/],
  'base64 of no UTF-8': [basic(Buffer.from([0xff, 0x3a, 0x61])), /not base64 of UTF-8/],
  'no colon': [basic('pk'), /lack a colon/],
  'no project id': [basic(':k'), /project id is empty/],
  'no key': [basic('p:'), /key is empty/],
  'a NUL': [basic('p:k\0admin'), /key holds a NUL/],
  'a key longer than any': [basic(`p:${'k'.repeat(5_000)}`), /key is longer than any/],
  'a token': ['Bearer abc', /tokens are not configured/],
};

for (const [name, [header, message]] of Object.entries(headers)) {
  test(`a header with ${name} is refused with what to send`, () => {
    assert.throws(() => parseAuthorization(header), { code: 'UNAUTHENTICATED', message });
    assert.throws(() => parseAuthorization(header), {
      message: /send `Authorization: Basic base64/,
    });
  });
}

test('a payload holds project id and key, and other fields are nothing to us', () => {
  const payload = { projectId: 'p', key: 'k', type: 'auth', headers: {} };
  assert.deepEqual(parseCredentials(payload), { projectId: 'p', key: 'k' });
});

const payloads: Readonly<Record<string, readonly [unknown, RegExp]>> = {
  nothing: [undefined, /^no credentials/],
  null: [null, /^no credentials/],
  'an array': [['p', 'k'], /^no credentials/],
  'no fields': [{}, /^no credentials/],
  'a token': [{ token: 't' }, /tokens are not configured/],
  'a number for an id': [{ projectId: 1, key: 'k' }, /projectId is not a string/],
  'the key alone': [{ key: 'k' }, /projectId is not a string/],
  'the id alone': [{ projectId: 'p' }, /key is not a string/],
  'an empty key': [{ projectId: 'p', key: '' }, /key is empty/],
  'a NUL': [{ projectId: 'p\0', key: 'k' }, /project id holds a NUL/],
};

for (const [name, [payload, message]] of Object.entries(payloads)) {
  test(`a payload that is or has ${name} is refused with what to send`, () => {
    assert.throws(() => parseCredentials(payload), { code: 'UNAUTHENTICATED', message });
    assert.throws(() => parseCredentials(payload), { message: /send \{"projectId"/ });
  });
}
