import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { EncryptJWT } from 'jose';
import { ServiceAuthenticator } from '../../../../src/auth/service-authenticator.ts';
import { TokenAuthenticator } from '../../../../src/auth/tokens/token-authenticator.ts';
import { maxTokenLength, TokenCodec } from '../../../../src/auth/tokens/token-codec.ts';
import { tokenKeyFrom } from '../../../../src/auth/tokens/token-key.ts';
import { TokenMaker } from '../../../../src/auth/tokens/token-maker.ts';
import type { KeyConfig, ProjectConfig } from '../../../../src/config/config.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const secret = 'a secret that all of the instances have';
const hour = 3_600_000;

function keyOf(key: string, fields: Partial<KeyConfig> = {}): KeyConfig {
  return {
    name: key,
    kind: 'read',
    sha256: createHash('sha256').update(key).digest('hex'),
    topics: null,
    permitted: ['queries'],
    active: true,
    filter: [],
    ...fields,
  };
}

const narrow = keyOf('narrow', { topics: ['purchases', 'signups'] });
const filtered = keyOf('filtered', {
  kind: 'access',
  filter: [{ property: 'a', operator: 'EQ', value: 1 }],
});
const everything: ProjectConfig = { id: 'p', keys: [keyOf('k'), narrow, filtered] };

/** As the bearer of a token is told of it. */
function ofKey(reason: string): string {
  return `the key that made this token is refused: ${reason}`;
}

/** One instance; those with equal secrets know each other's tokens. */
function instance({
  clock = new ManualClock(),
  maxUsed = 100,
  ...given
}: {
  clock?: ManualClock;
  maxUsed?: number;
  withSecret?: string | null;
} = {}) {
  const { withSecret = secret } = given;
  const keys = new ServiceAuthenticator([everything], null);
  const codec = new TokenCodec(tokenKeyFrom(withSecret), clock);
  const maker = new TokenMaker({ keys, codec, clock, maxExpiresInMs: 24 * hour });
  const authenticator = new TokenAuthenticator({ keys, codec, clock, maxUsedTokens: maxUsed });
  return {
    clock,
    keys,
    codec,
    make: async (body: unknown = {}, key = 'k') =>
      (await maker.admit({ projectId: 'p', key }))(body),
    admit: maker.admit.bind(maker),
    enter: (token: string, inUrl = false) => authenticator.authenticate({ token, inUrl }),
  };
}

const invalid = {
  code: 'UNAUTHENTICATED',
  message: 'this token is not valid here: get another one',
};
const expired = { code: 'UNAUTHENTICATED', message: 'this token has expired' };

test('a token is good for its scope on any instance with the secret', async () => {
  const [one, other] = [instance(), instance()];
  const filter = [{ property: 'user.id', value: 7 }];
  const { token, expiresAt } = await one.make({ topics: ['purchases'], filter, expiresIn: '1h' });
  assert.equal(Date.parse(expiresAt), one.clock.now() + hour);
  const principal = await other.enter(token);
  assert.equal(principal.projectId, 'p');
  assert.deepEqual(principal.key, { name: 'k', kind: 'READ', topics: ['purchases'] });
  assert.deepEqual(principal.filter, [{ property: 'user.id', operator: 'EQ', value: 7 }]);
  principal.mayRead('purchases');
  assert.throws(() => principal.mayRead('signups'), {
    code: 'FORBIDDEN',
    message: 'this token may not read topic signups',
  });
});

test('without a word a token is good for all that its key is, for 15 minutes', async () => {
  const { make, enter, clock } = instance();
  const { token, expiresAt, useBy } = await make();
  assert.equal(Date.parse(expiresAt), clock.now() + 15 * 60_000);
  assert.equal(useBy, undefined);
  const { key, filter } = await enter(token);
  assert.deepEqual([key.topics, filter], [null, []]);
});

test('a token tells nothing, of its key least of all', async () => {
  const { token } = await instance().make({ topics: ['purchases'] });
  const text = token
    .split('.')
    .map((part) => Buffer.from(part, 'base64url').toString('latin1'))
    .join();
  for (const word of ['purchases', 'narrow', everything.keys[0]?.sha256 ?? '', '"sub"']) {
    assert.equal(text.includes(word), false, word);
  }
});

test('a token is not valid where the secret is another, nor when a character is', async () => {
  const made = instance();
  const { token } = await made.make();
  for (const withSecret of ['another secret, as long as the first one', null]) {
    await assert.rejects(instance({ withSecret }).enter(token), invalid);
  }
  for (const other of ['', 'a', 'a.b.c', 'a.b.c.d.e', `${token}x`, token.slice(1), '....']) {
    await assert.rejects(made.enter(other), invalid, other);
  }
  await fc.assert(
    fc.asyncProperty(
      fc.nat(token.length - 1),
      fc.constantFrom('A', 'z', '0', '_'),
      async (at, by) => {
        // Of the last character of a part some bits are not used.
        const isLast = token[at + 1] === '.' || at === token.length - 1;
        fc.pre(token[at] !== by && !isLast);
        await assert.rejects(
          made.enter(`${token.slice(0, at)}${by}${token.slice(at + 1)}`),
          invalid,
        );
      },
    ),
  );
});

test('what was encrypted with the same secret for something else is no token', async () => {
  const { enter, clock } = instance();
  const sealed = new EncryptJWT({ sub: 'p' })
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .setExpirationTime(new Date(clock.now() + hour));
  await assert.rejects(enter(await sealed.encrypt(tokenKeyFrom(secret))), invalid);
  const cursors = new TokenCodec(new Uint8Array(32).fill(1), clock);
  const content = {
    projectId: 'p',
    keyReference: 'k',
    topics: null,
    filter: [],
    expiresAtMs: clock.now() + hour,
    id: '1',
    useByMs: null,
  };
  await assert.rejects(enter(await cursors.seal(content)), invalid);
});

test('an expired token is told apart, and ends what it had', async () => {
  const { make, enter, clock } = instance();
  const { token } = await make({ expiresIn: '2s' });
  const principal = await enter(token);
  const release = principal.retain();
  await clock.advance(1_999);
  assert.equal(principal.revoked.aborted, false);
  await clock.advance(1);
  assert.equal(principal.revoked.reason?.message, 'this token has expired');
  await assert.rejects(enter(token), expired);
  assert.throws(() => principal.retain(), expired);
  release();
  assert.equal(clock.pending, 0);
});

/** One that can be set, while its timers go on as they were: they count what has passed. */
class SetClock extends ManualClock {
  setByMs = 0;

  override now(): number {
    return super.now() + this.setByMs;
  }
}

test('a token expires by the clock, also when it was set or the machine was suspended', async () => {
  const clock = new SetClock();
  const { make, enter } = instance({ clock });
  const { token } = await make({ expiresIn: '1h' });
  const principal = await enter(token);
  principal.retain();
  clock.setByMs = -hour;
  await clock.advance(hour + hour / 2);
  assert.equal(principal.revoked.aborted, false);
  clock.setByMs = 0;
  await clock.advance(30_000);
  assert.equal(principal.revoked.reason?.message, 'this token has expired');
  assert.equal(clock.pending, 0);
});

test('who comes before the clock is set forward does not stay', async () => {
  const clock = new SetClock();
  const { make, enter } = instance({ clock });
  const { token } = await make({ expiresIn: '1h' });
  const principal = await enter(token);
  principal.retain();
  clock.setByMs = 2 * hour;
  await clock.advance(30_000);
  assert.equal(principal.revoked.reason?.message, 'this token has expired');
});

test('nothing is watched for a token that nobody holds any more', async () => {
  const { make, enter, clock, keys } = instance();
  const principal = await enter((await make()).token);
  const [first, second] = [principal.retain(), principal.retain()];
  assert.equal(clock.pending, 1);
  first();
  first();
  assert.equal(clock.pending, 1);
  second();
  assert.equal(clock.pending, 0);
  keys.update([{ id: 'p', keys: [narrow] }]);
  assert.equal(principal.revoked.aborted, false);
  assert.throws(() => principal.retain(), { message: ofKey('this key has been revoked') });
});

test('a token ends with the key that made it, and comes back with it', async () => {
  const { make, enter, keys } = instance();
  const { token } = await make();
  const principal = await enter(token);
  principal.retain();
  keys.update([{ id: 'p', keys: [narrow] }]);
  assert.equal(principal.revoked.reason?.message, ofKey('this key has been revoked'));
  await assert.rejects(enter(token), {
    code: 'UNAUTHENTICATED',
    message: ofKey('unknown project or wrong key'),
  });
  keys.update([{ id: 'p', keys: [keyOf('k', { active: false })] }]);
  await assert.rejects(enter(token), { message: ofKey('this key is not active') });
  keys.update([{ id: 'p', keys: [keyOf('k', { topics: ['signups'] })] }]);
  const again = await enter(token);
  again.mayRead('signups');
  assert.throws(() => again.mayRead('purchases'), {
    code: 'FORBIDDEN',
    message: ofKey('this key may not read topic purchases'),
  });
});

test('a token gives no more than its key', async () => {
  const { make, enter } = instance();
  await assert.rejects(make({ topics: ['purchases', 'secrets'] }, 'narrow'), {
    code: 'FORBIDDEN',
    message: 'this key may not read topic secrets',
  });
  assert.deepEqual((await enter((await make({}, 'narrow')).token)).key.topics, narrow.topics);
  const { token } = await make({ filter: [{ property: 'b', value: 2 }] }, 'filtered');
  assert.deepEqual((await enter(token)).filter, [
    { property: 'a', operator: 'EQ', value: 1 },
    { property: 'b', operator: 'EQ', value: 2 },
  ]);
});

test('a token for a single use is used once, soon, and may stand in a URL', async () => {
  const { make, enter, clock } = instance();
  const { token, expiresAt, useBy } = await make({ singleUse: true, expiresIn: '10m' });
  assert.equal(Date.parse(useBy ?? ''), clock.now() + 60_000);
  const principal = await enter(token, true);
  await assert.rejects(enter(token, true), {
    code: 'UNAUTHENTICATED',
    message: 'this token was for a single use and has been used',
  });
  principal.retain();
  await clock.advance(10 * 60_000 - 1);
  assert.equal(principal.revoked.aborted, false, `until ${expiresAt}`);
  await clock.advance(1);
  assert.equal(principal.revoked.aborted, true);

  const late = (await make({ singleUse: true })).token;
  await clock.advance(60_001);
  await assert.rejects(enter(late), expired);
});

test('of many who come with a single-use token at once, one gets in', async () => {
  const { make, enter } = instance();
  const { token } = await make({ singleUse: true });
  const entered = await Promise.allSettled(Array.from({ length: 50 }, () => enter(token)));
  assert.equal(entered.filter(({ status }) => status === 'fulfilled').length, 1);
});

test('any other token is refused in a URL', async () => {
  const { make, enter } = instance();
  const { token } = await make();
  await assert.rejects(enter(token, true), {
    code: 'FORBIDDEN',
    message: /^only a single-use token may stand in a URL/,
  });
  await enter(token);
});

test('used tokens are remembered within a bound, and no longer than they could be used', async () => {
  const { make, enter, clock } = instance({ maxUsed: 3 });
  const tokens = await Promise.all(Array.from({ length: 5 }, () => make({ singleUse: true })));
  for (const { token } of tokens.slice(0, 3)) await enter(token);
  await assert.rejects(enter(tokens[3]?.token ?? ''), {
    code: 'LIMIT_EXCEEDED',
    details: { limit: 'limits.usedTokens' },
  });
  await clock.advance(60_001);
  await enter((await make({ singleUse: true })).token);
});

test('a token that could not be used for lack of its key is not used up', async () => {
  const { make, enter, keys } = instance();
  const { token } = await make({ singleUse: true });
  keys.update([]);
  await assert.rejects(enter(token), { code: 'UNAUTHENTICATED' });
  keys.update([everything]);
  await enter(token);
});

test('tokens are made with a key, not with a token', async () => {
  const { admit, make } = instance();
  await assert.rejects(admit({ token: (await make()).token, inUrl: false }), {
    code: 'FORBIDDEN',
    message: 'a token cannot make tokens: use the project id and a key',
  });
  await assert.rejects(admit({ projectId: 'p', key: 'wrong' }), { code: 'UNAUTHENTICATED' });
});

const unusable: readonly (readonly [
  body: unknown,
  argument: string | undefined,
  message: RegExp,
])[] = [
  [[], undefined, /must be an object with topics, filter, expiresIn, singleUse/],
  [null, undefined, /must be an object/],
  ['{}', undefined, /must be an object/],
  [{ topic: 'a' }, 'topic', /topic is not known; known are topics/],
  [{ ['x'.repeat(999)]: 1 }, 'x'.repeat(40), /is not known/],
  [{ topics: 'a' }, 'topics', /list of names/],
  [{ topics: [] }, 'topics', /list of names/],
  [{ topics: [''] }, 'topics', /list of names/],
  [{ topics: [1] }, 'topics', /list of names/],
  [{ topics: ['a'.repeat(250)] }, 'topics', /list of names/],
  [{ topics: Array.from({ length: 101 }, () => 'a') }, 'topics', /100 names/],
  [{ filter: {} }, 'filter', /`filter` must be a list/],
  [{ filter: [{ property: 'a' }] }, 'filter', /`filter\[0\]` needs a `value`/],
  [
    {
      filter: [
        { property: 'a', value: 'x'.repeat(4_096) },
        { property: 'a', value: 'x'.repeat(4_096) },
      ],
    },
    'filter',
    /the token would have \d+ characters/,
  ],
  [{ expiresIn: 900 }, 'expiresIn', /duration with its unit/],
  [{ expiresIn: 'soon' }, 'expiresIn', /duration with its unit/],
  [{ expiresIn: '-1m' }, 'expiresIn', /duration with its unit/],
  [{ expiresIn: '0' }, 'expiresIn', /1s at least/],
  [{ expiresIn: '25h' }, 'expiresIn', /1d at the most \(tokens\.maxExpiresIn\)/],
  [{ singleUse: 'yes' }, 'singleUse', /true or false/],
];

for (const [body, argument, message] of unusable) {
  test(`a body of ${JSON.stringify(body)?.slice(0, 60)} is refused, naming ${argument}`, async () => {
    await assert.rejects(instance().make(body), {
      code: 'BAD_USER_INPUT',
      message,
      details: argument === undefined ? {} : { argument },
    });
  });
}

test('null is as good as nothing', async () => {
  const nothing = { topics: null, filter: null, expiresIn: null, singleUse: null };
  const { token } = await instance().make(nothing);
  assert.ok(token.length < maxTokenLength);
});
