import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { ServiceAuthenticator } from '../../../src/auth/service-authenticator.ts';
import type { KeyConfig, ProjectConfig } from '../../../src/config/config.ts';
import { MillraceError } from '../../../src/core/errors.ts';

function keyOf(key: string, fields: Partial<KeyConfig> = {}): KeyConfig {
  return {
    name: null,
    kind: 'read',
    sha256: createHash('sha256').update(key).digest('hex'),
    topics: null,
    permitted: [],
    active: true,
    filter: [],
    ...fields,
  };
}

function project(id: string, ...keys: readonly KeyConfig[]): ProjectConfig {
  return { id, keys };
}

const unauthenticated = { code: 'UNAUTHENTICATED', message: 'unknown project or wrong key' };

test('a known key of a known project is let in', async () => {
  const login = { mechanism: 'PLAIN', username: 'u', password: 'p' } as const;
  const authenticator = new ServiceAuthenticator(
    [
      project(
        'p',
        keyOf('m', { kind: 'master', name: 'ops' }),
        keyOf('r', { topics: ['purchases'] }),
        keyOf('a', { kind: 'access', permitted: ['queries'] }),
      ),
    ],
    login,
  );
  const master = await authenticator.authenticate({ projectId: 'p', key: 'm' });
  assert.equal(master.projectId, 'p');
  assert.deepEqual(master.key, { name: 'ops', kind: 'MASTER', topics: null });
  assert.equal(master.login, login);
  const read = await authenticator.authenticate({ projectId: 'p', key: 'r' });
  assert.deepEqual(read.key, { name: null, kind: 'READ', topics: ['purchases'] });
  const access = await authenticator.authenticate({ projectId: 'p', key: 'a' });
  assert.equal(access.key.kind, 'ACCESS');
  assert.equal(access.loginId, read.loginId, 'one login for all');
  assert.equal(await authenticator.authenticate({ projectId: 'p', key: 'm' }), master);
});

test('an unknown project, a wrong key and a key of another project get one answer', async () => {
  const authenticator = new ServiceAuthenticator(
    [project('p', keyOf('pk')), project('q', keyOf('qk'))],
    null,
  );
  for (const credentials of [
    { projectId: 'nobody', key: 'pk' },
    { projectId: 'p', key: 'wrong' },
    { projectId: 'p', key: 'qk' },
    { projectId: 'p', key: '' },
    { projectId: '', key: 'pk' },
    { projectId: '__proto__', key: 'pk' },
    { projectId: 'p', key: keyOf('pk').sha256 },
  ]) {
    await assert.rejects(authenticator.authenticate(credentials), unauthenticated);
  }
});

test('two projects may have the same key', async () => {
  const authenticator = new ServiceAuthenticator(
    [project('p', keyOf('same')), project('q', keyOf('same'))],
    null,
  );
  for (const projectId of ['p', 'q']) {
    assert.equal(
      (await authenticator.authenticate({ projectId, key: 'same' })).projectId,
      projectId,
    );
  }
});

test('a right key that may not read is told why', async () => {
  const reasons: readonly (readonly [Partial<KeyConfig>, string])[] = [
    [{ kind: 'write' }, 'write keys cannot read'],
    [{ kind: 'access', permitted: ['queries'], filter: null }, 'this access key has filters'],
    [{ kind: 'access', permitted: ['writes'] }, 'this access key does not permit queries'],
    [{ kind: 'access' }, 'this access key does not permit queries'],
    [{ kind: 'access', permitted: ['queries'], active: false }, 'this key is not active'],
    [{ kind: 'master', active: false }, 'this key is not active'],
  ];
  for (const [fields, message] of reasons) {
    const authenticator = new ServiceAuthenticator([project('p', keyOf('k', fields))], null);
    await assert.rejects(authenticator.authenticate({ projectId: 'p', key: 'k' }), {
      code: 'FORBIDDEN',
      message,
    });
  }
});

test('a key may read its topics only, under any of their names', async () => {
  const authenticator = new ServiceAuthenticator(
    [
      project(
        'p',
        keyOf('some', { topics: ['purchases', '$my collection$'] }),
        keyOf('none', { topics: [] }),
        keyOf('all'),
      ),
    ],
    null,
  );
  const some = await authenticator.authenticate({ projectId: 'p', key: 'some' });
  for (const topic of ['purchases', '$my collection$', '_my_collection_']) some.mayRead(topic);
  assert.throws(() => some.mayRead('Purchases'), {
    code: 'FORBIDDEN',
    message: 'this key may not read topic Purchases',
  });
  const none = await authenticator.authenticate({ projectId: 'p', key: 'none' });
  assert.throws(() => none.mayRead('purchases'), { code: 'FORBIDDEN' });
  (await authenticator.authenticate({ projectId: 'p', key: 'all' })).mayRead('anything');
});

test('a removed key ends at once, and nobody else notices', async () => {
  const kept = project('q', keyOf('kept'));
  const authenticator = new ServiceAuthenticator(
    [project('p', keyOf('gone'), keyOf('stays')), kept],
    null,
  );
  const gone = await authenticator.authenticate({ projectId: 'p', key: 'gone' });
  const stays = await authenticator.authenticate({ projectId: 'p', key: 'stays' });
  const other = await authenticator.authenticate({ projectId: 'q', key: 'kept' });
  const release = gone.retain();

  authenticator.update([kept, project('p', keyOf('stays'), keyOf('new'))]);

  assert.ok(gone.revoked.reason instanceof MillraceError);
  assert.equal(gone.revoked.reason.code, 'UNAUTHENTICATED');
  assert.equal(gone.revoked.reason.message, 'this key has been revoked');
  assert.throws(() => gone.retain(), gone.revoked.reason);
  release();
  await assert.rejects(
    authenticator.authenticate({ projectId: 'p', key: 'gone' }),
    unauthenticated,
  );
  for (const principal of [stays, other]) assert.equal(principal.revoked.aborted, false);
  assert.equal(await authenticator.authenticate({ projectId: 'p', key: 'stays' }), stays);
  assert.equal((await authenticator.authenticate({ projectId: 'p', key: 'new' })).projectId, 'p');
});

test('a key that may do something else now ends what it had, with the reason', async () => {
  const changes: readonly (readonly [Partial<KeyConfig>, string, string])[] = [
    [{ active: false }, 'FORBIDDEN', 'this key is not active'],
    [{ kind: 'write' }, 'FORBIDDEN', 'write keys cannot read'],
    [
      {
        kind: 'access',
        permitted: ['queries'],
        filter: [{ property: 'a', operator: 'EQ', value: 1 }],
      },
      'UNAUTHENTICATED',
      'what this key may do has changed: connect again',
    ],
  ];
  for (const [fields, code, message] of changes) {
    const authenticator = new ServiceAuthenticator([project('p', keyOf('k'))], null);
    const principal = await authenticator.authenticate({ projectId: 'p', key: 'k' });
    authenticator.update([project('p', keyOf('k', fields))]);
    assert.ok(principal.revoked.reason instanceof MillraceError);
    assert.equal(principal.revoked.reason.code, code);
    assert.equal(principal.revoked.reason.message, message);
  }
});

test('a key that sees the same of each event goes on, and may read the topics that it has now', async () => {
  const changes: readonly Partial<KeyConfig>[] = [
    { topics: ['b', 'a'] },
    { topics: ['a', 'b', 'c'] },
    { topics: null },
    { topics: ['a'] },
    { kind: 'master' },
    { kind: 'access', permitted: ['queries', 'writes'] },
  ];
  for (const fields of changes) {
    const before = keyOf('k', { topics: ['a', 'b'] });
    const authenticator = new ServiceAuthenticator([project('p', before)], null);
    const principal = await authenticator.authenticate({ projectId: 'p', key: 'k' });
    const now = { ...before, ...fields };
    authenticator.update([project('p', now)]);
    assert.equal(principal.revoked.aborted, false, JSON.stringify(fields));
    assert.equal(await authenticator.authenticate({ projectId: 'p', key: 'k' }), principal);
    assert.deepEqual(principal.key.topics, now.topics);
    for (const topic of ['a', 'b', 'c']) {
      if (now.topics?.includes(topic) === false) {
        assert.throws(() => principal.mayRead(topic), { code: 'FORBIDDEN' });
      } else principal.mayRead(topic);
    }
  }
});

test('a key that is active again is let in again', async () => {
  const authenticator = new ServiceAuthenticator(
    [project('p', keyOf('k', { active: false }))],
    null,
  );
  await assert.rejects(authenticator.authenticate({ projectId: 'p', key: 'k' }), {
    code: 'FORBIDDEN',
  });
  authenticator.update([project('p', keyOf('k'))]);
  const principal = await authenticator.authenticate({ projectId: 'p', key: 'k' });
  assert.equal(principal.revoked.aborted, false);
});

test('a key that is only renamed goes on under its new name', async () => {
  const authenticator = new ServiceAuthenticator([project('p', keyOf('k', { name: 'old' }))], null);
  const principal = await authenticator.authenticate({ projectId: 'p', key: 'k' });
  authenticator.update([project('p', keyOf('k', { name: 'new' }))]);
  assert.equal(principal.revoked.aborted, false);
  assert.equal(principal.key.name, 'new');
});
