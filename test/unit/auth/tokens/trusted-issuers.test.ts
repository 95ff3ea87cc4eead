import assert from 'node:assert/strict';
import { once } from 'node:events';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { exportJWK, type JWTPayload, SignJWT } from 'jose';
import { ServiceAuthenticator } from '../../../../src/auth/service-authenticator.ts';
import { TokenAuthenticator } from '../../../../src/auth/tokens/token-authenticator.ts';
import { TokenCodec } from '../../../../src/auth/tokens/token-codec.ts';
import { tokenKeyFrom } from '../../../../src/auth/tokens/token-key.ts';
import { TrustedIssuers } from '../../../../src/auth/tokens/trusted-issuers.ts';
import type { TrustedIssuer } from '../../../../src/config/config.ts';
import { captureLog } from '../../../support/captured-log.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { portOf } from '../../../support/websocket.ts';

const secret = 'what the backend signs its tokens with';
const backend: TrustedIssuer = {
  project: 'p',
  issuer: null,
  audience: null,
  key: { kind: 'secret', secret },
};

/** The time at which all is made and shown: none passes but by the clock. */
const nowMs = Date.UTC(2025, 5, 1);

function setUp(...issuers: readonly TrustedIssuer[]) {
  const clock = new ManualClock(nowMs);
  const log = captureLog();
  const keys = new ServiceAuthenticator([{ id: 'p', keys: [] }], null);
  const authenticator = new TokenAuthenticator({
    keys,
    codec: new TokenCodec(tokenKeyFrom(null), clock),
    issuers: new TrustedIssuers(issuers, {
      projectOf: (id) => keys.project(id),
      clock,
      maxExpiresInMs: 3_600_000,
      logger: log.logger,
    }),
    clock,
    maxUsedTokens: 10,
  });
  return {
    clock,
    keys,
    log,
    enter: (token: string, inUrl = false) => authenticator.authenticate({ token, inUrl }),
  };
}

interface Signing {
  readonly claims?: JWTPayload;
  readonly key?: KeyObject | Uint8Array;
  readonly algorithm?: string;
  readonly kid?: string;
  /** Seconds from now. */
  readonly expiresIn?: number | null;
}

function sign({
  claims,
  key,
  algorithm = 'HS256',
  kid,
  expiresIn = 60,
}: Signing = {}): Promise<string> {
  const jwt = new SignJWT({ topics: ['purchases'], ...claims }).setProtectedHeader({
    alg: algorithm,
    ...(kid === undefined ? {} : { kid }),
  });
  if (expiresIn !== null) jwt.setExpirationTime(new Date(nowMs + expiresIn * 1_000));
  return jwt.sign(key ?? Buffer.from(secret));
}

const invalid = {
  code: 'UNAUTHENTICATED',
  message: 'this token is not valid here: get another one',
};

test('a token that a trusted backend signed is good for what it claims', async () => {
  const { enter, clock } = setUp(backend);
  const principal = await enter(
    await sign({ claims: { filter: [{ property: 'user.id', value: 7 }] } }),
  );
  assert.equal(principal.projectId, 'p');
  assert.deepEqual(principal.key, { name: null, kind: 'READ', topics: ['purchases'] });
  assert.deepEqual(principal.filter, [{ property: 'user.id', operator: 'EQ', value: 7 }]);
  assert.throws(() => principal.mayRead('signups'), {
    code: 'FORBIDDEN',
    message: 'this token may not read topic signups',
  });
  principal.retain();
  await clock.advance(61_000);
  assert.equal(principal.revoked.reason?.message, 'this token has expired');
});

const refused: Readonly<Record<string, readonly [Signing, RegExp]>> = {
  'that somebody else signed': [{ key: Buffer.from('x'.repeat(40)) }, /not valid here/],
  'that has expired': [{ expiresIn: -1 }, /has expired/],
  'that never expires': [{ expiresIn: null }, /not valid here/],
  'that lives too long': [{ expiresIn: 3_700 }, /must expire within 3600s/],
  'that is not valid yet': [{ claims: { nbf: nowMs / 1_000 + 60 } }, /not valid here/],
  'without topics': [{ claims: { topics: undefined } }, /needs the claim topics/],
  'with topics that are no list': [{ claims: { topics: 'purchases' } }, /needs the claim topics/],
  'with a filter that is no list': [{ claims: { filter: {} } }, /may have filter, a list/],
  'with a filter of no use': [{ claims: { filter: [{}] } }, /`filter\[0\]` needs a `property`/],
};

for (const [name, [signing, message]] of Object.entries(refused)) {
  test(`a token ${name} is refused`, async () => {
    const { enter } = setUp(backend);
    await assert.rejects(enter(await sign(signing)), { code: 'UNAUTHENTICATED', message });
  });
}

test('a signed token is never good in a URL, nor where nobody is trusted', async () => {
  await assert.rejects(setUp(backend).enter(await sign(), true), { code: 'FORBIDDEN' });
  await assert.rejects(setUp().enter(await sign()), invalid);
});

test('a token without a signature is none, and a public key is no secret', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const { enter } = setUp({ ...backend, key: { kind: 'publicKey', pem } });
  await enter(await sign({ key: privateKey, algorithm: 'EdDSA' }));
  await assert.rejects(enter(await sign({ key: Buffer.from(pem) })), invalid);
  const [, payload] = (await sign()).split('.');
  const none = Buffer.from('{"alg":"none"}').toString('base64url');
  for (const token of [`${none}.${payload}.`, `${none}.${payload}.x`]) {
    await assert.rejects(enter(token), invalid);
  }
});

test('issuer and audience are held to, and choose the project', async () => {
  const one = { ...backend, issuer: 'https://a.example', audience: 'one' };
  const { enter, keys } = setUp(one, { ...one, audience: 'two', project: 'q' });
  keys.update([
    { id: 'p', keys: [] },
    { id: 'q', keys: [] },
  ]);
  const claims = { iss: 'https://a.example' };
  assert.equal((await enter(await sign({ claims: { ...claims, aud: 'one' } }))).projectId, 'p');
  assert.equal((await enter(await sign({ claims: { ...claims, aud: 'two' } }))).projectId, 'q');
  for (const wrong of [{}, claims, { ...claims, aud: 'three' }, { iss: 'b', aud: 'one' }]) {
    await assert.rejects(enter(await sign({ claims: wrong })), invalid);
  }
});

test('a project that is removed takes its tokens along', async () => {
  const { enter, keys } = setUp(backend);
  const token = await sign();
  const principal = await enter(token);
  principal.retain();
  keys.update([]);
  assert.equal(principal.revoked.reason?.message, 'this project has been removed');
  await assert.rejects(enter(token), { code: 'UNAUTHENTICATED' });
});

/** A server of keys, gone with the test. */
async function keyServer(t: TestContext, answer: { status: number; body: string }) {
  const seen = { requests: 0 };
  const server = createServer((_request, response) => {
    seen.requests += 1;
    response.writeHead(answer.status).end(answer.body);
  }).listen(0, '127.0.0.1');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, 'listening');
  const issuer: TrustedIssuer = {
    project: 'p',
    issuer: 'i',
    audience: 'a',
    key: { kind: 'jwks', url: `http://127.0.0.1:${portOf(server)}/keys` },
  };
  return { seen, issuer };
}

const published = { claims: { iss: 'i', aud: 'a' }, algorithm: 'ES256', kid: '1' };

test('published keys are fetched once for many tokens, and again for none that is made up', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...(await exportJWK(publicKey)), kid: '1', alg: 'ES256' };
  const { seen, issuer } = await keyServer(t, {
    status: 200,
    body: JSON.stringify({ keys: [jwk] }),
  });
  const { enter } = setUp(issuer);
  const token = await sign({ ...published, key: privateKey });
  await Promise.all(Array.from({ length: 20 }, () => enter(token)));
  for (let made = 0; made < 5; made += 1) {
    const unknown = await sign({ ...published, kid: `made up ${made}`, key: privateKey });
    await assert.rejects(enter(unknown), invalid);
  }
  const shared = await sign({ ...published, algorithm: 'HS256' });
  await assert.rejects(enter(shared), invalid);
  assert.equal(seen.requests, 1);
});

for (const [what, answer] of [
  ['fail', { status: 500, body: '' }],
  ['are no JSON', { status: 200, body: 'hello' }],
  ['are no keys', { status: 200, body: '{"keys":[1]}' }],
  ['are too many', { status: 200, body: JSON.stringify({ keys: [], pad: 'x'.repeat(300_000) }) }],
] as const) {
  test(`published keys that ${what} let nobody in, are logged and not asked for by each`, async (t) => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { seen, issuer } = await keyServer(t, answer);
    const { enter, log } = setUp(issuer);
    const token = await sign({ ...published, key: privateKey });
    for (let attempt = 0; attempt < 5; attempt += 1) {
      await assert.rejects(enter(token), {
        code: 'UNAUTHENTICATED',
        message: /cannot be verified now/,
      });
    }
    await log.logged('the keys of a trusted issuer cannot be fetched');
    assert.equal(JSON.stringify(log.lines).includes(token), false);
    assert.equal(seen.requests, 1);
  });
}
