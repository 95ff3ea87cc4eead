import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import {
  parseAuthorization,
  parseCredentials,
  parseRequest,
  tokenInUrl,
} from '../../../src/auth/authorization.ts';

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
  'no token': ['Bearer', /token is empty/],
  'a token longer than any': [`Bearer ${'t'.repeat(9_000)}`, /token is longer than any/],
};

for (const [name, [header, message]] of Object.entries(headers)) {
  test(`a header with ${name} is refused with what to send`, () => {
    assert.throws(() => parseAuthorization(header), { code: 'UNAUTHENTICATED', message });
    assert.throws(() => parseAuthorization(header), {
      message: /send `Authorization: Basic base64/,
    });
  });
}

test('a header of blanks takes no longer to be refused than any other', () => {
  // With a step for each pair of blanks it would be most of an hour.
  const blanks = ' '.repeat(2 * 1_024 * 1_024);
  for (const header of [`Basic a${blanks}b`, `Basic${blanks}a${blanks}b`, `Basic ${blanks}`]) {
    assert.throws(() => parseAuthorization(header), { message: /not base64/ });
  }
});

test('a payload holds project id and key, and other fields are nothing to us', () => {
  const payload = { projectId: 'p', key: 'k', type: 'auth', headers: {} };
  assert.deepEqual(parseCredentials(payload), { projectId: 'p', key: 'k' });
});

const payloads: Readonly<Record<string, readonly [unknown, RegExp]>> = {
  nothing: [undefined, /^no credentials/],
  null: [null, /^no credentials/],
  'an array': [['p', 'k'], /^no credentials/],
  'no fields': [{}, /^no credentials/],
  'a number for a token': [{ token: 7 }, /token is not a string/],
  'an empty token': [{ token: '' }, /token is empty/],
  'a token and a key': [{ token: 't', projectId: 'p', key: 'k' }, /a token and a key/],
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

test('a Bearer header and a payload hold a token', () => {
  const credentials = { token: 'a.b.c', inUrl: false };
  assert.deepEqual(parseAuthorization('Bearer a.b.c'), credentials);
  assert.deepEqual(parseCredentials({ token: 'a.b.c', type: 'auth' }), credentials);
});

test('a token in a URL is found, and told from one in a header', () => {
  assert.deepEqual(tokenInUrl('/graphql?query=x&token=a.b'), { token: 'a.b', inUrl: true });
  for (const url of [undefined, '/graphql', '/graphql?', '/graphql?tokens=a', '/token=a']) {
    assert.equal(tokenInUrl(url), undefined);
  }
  for (const url of ['/?token=', '/?token=a&token=b', `/?token=${'t'.repeat(9_000)}`]) {
    assert.throws(() => tokenInUrl(url), { code: 'UNAUTHENTICATED' });
  }
});

test('a request shows credentials in its header or in its URL, not in both', () => {
  const authorization = basic('p:k');
  const inUrl = { token: 't', inUrl: true };
  assert.deepEqual(parseRequest({ url: '/x', headers: { authorization } }), {
    projectId: 'p',
    key: 'k',
  });
  assert.deepEqual(parseRequest({ url: '/x?token=t', headers: {} }), inUrl);
  assert.throws(() => parseRequest({ url: '/x?token=t', headers: { authorization } }), {
    code: 'UNAUTHENTICATED',
    message: /in the URL and in the Authorization header/,
  });
  assert.throws(() => parseRequest({ url: '/x', headers: {} }), { message: /^no Authorization/ });
});

test('a connection shows credentials in its first message or in its URL, not in both', () => {
  const inUrl = { token: 't', inUrl: true };
  for (const payload of [undefined, null, {}, { other: 1 }]) {
    assert.deepEqual(parseCredentials(payload, inUrl), inUrl);
  }
  for (const payload of [{ token: 'u' }, { projectId: 'p', key: 'k' }]) {
    assert.throws(() => parseCredentials(payload, inUrl), { message: /in the first message/ });
  }
});
