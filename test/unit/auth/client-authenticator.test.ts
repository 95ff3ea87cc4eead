import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  ClientAuthenticator,
  type ClientAuthenticatorOptions,
} from '../../../src/auth/client-authenticator.ts';
import { MillraceError } from '../../../src/core/errors.ts';
import { EmbeddedKafka } from '../../../src/kafka/embedded/embedded-kafka.ts';
import type { KafkaClient, KafkaDriver, KafkaSasl } from '../../../src/kafka/port.ts';
import { captureLog } from '../../support/captured-log.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';

const alice = { projectId: 'alice', key: 'secret-of-alice' };
const bob = { projectId: 'bob', key: 'secret-of-bob' };
const users = [alice, bob].map(({ projectId, key }) => ({ username: projectId, password: key }));
const refused = { code: 'UNAUTHENTICATED', message: 'unknown project or wrong key' };

/** An embedded log whose logins are counted, and can be held back. */
function setUp(options: Partial<ClientAuthenticatorOptions> = {}) {
  const clock = new ManualClock();
  const kafka = new EmbeddedKafka({ clock, users });
  const log = captureLog();
  const logins = { started: 0, open: 0, mostOpen: 0, clients: 0 };
  let hold: Promise<void> = Promise.resolve();
  const inner = kafka.driver();
  const counted = (client: KafkaClient): KafkaClient => ({
    clusterId: () => client.clusterId(),
    listTopics: () => client.listTopics(),
    describeTopics: (topics) => client.describeTopics(topics),
    listOffsets: (topics, at) => client.listOffsets(topics, at),
    openReader: (reader) => client.openReader(reader),
    async login() {
      logins.started += 1;
      logins.open += 1;
      logins.mostOpen = Math.max(logins.mostOpen, logins.open);
      try {
        await hold;
        await client.login();
      } finally {
        logins.open -= 1;
      }
    },
    async close() {
      logins.clients -= 1;
      await client.close();
    },
  });
  const driver: KafkaDriver = {
    name: 'embedded',
    connect(sasl: KafkaSasl | null) {
      logins.clients += 1;
      return counted(inner.connect(sasl));
    },
  };
  const authenticator = new ClientAuthenticator({
    driver,
    clock,
    logger: log.logger,
    loginCacheTtlMs: 60_000,
    loginProbeIntervalMs: 3_000,
    concurrentLogins: 2,
    queuedLogins: 3,
    ...options,
  });
  return {
    authenticator,
    clock,
    kafka,
    log,
    logins,
    /** Holds every login back until the returned function is called. */
    holdLogins: (): (() => void) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      hold = promise;
      return resolve;
    },
  };
}

test('the cluster decides', async () => {
  const { authenticator } = setUp();
  const principal = await authenticator.authenticate(alice);
  assert.equal(principal.projectId, 'alice');
  assert.deepEqual(principal.key, { name: null, kind: 'READ', topics: null });
  assert.deepEqual(principal.login, {
    mechanism: 'PLAIN',
    username: 'alice',
    password: 'secret-of-alice',
  });
  principal.mayRead('anything');
  await assert.rejects(authenticator.authenticate({ ...alice, key: 'wrong' }), refused);
  await assert.rejects(authenticator.authenticate({ projectId: 'nobody', key: 'x' }), refused);
});

test('equal credentials share one login and one principal, whose id tells nothing', async () => {
  const { authenticator, logins } = setUp();
  const principals = await Promise.all(
    Array.from({ length: 1_000 }, () => authenticator.authenticate(alice)),
  );
  assert.equal(logins.started, 1);
  assert.equal(new Set(principals).size, 1);
  const other = await authenticator.authenticate(bob);
  const [principal] = principals;
  assert.notEqual(principal?.loginId, other.loginId);
  assert.doesNotMatch(principal?.loginId ?? 'alice', /alice|secret/);
  const elsewhere = await setUp().authenticator.authenticate(alice);
  assert.notEqual(elsewhere.loginId, other.loginId, 'keyed by the process');
});

test('project id and key cannot be shifted into each other', async () => {
  const { authenticator, kafka } = setUp();
  kafka.users.replace([
    { username: 'ab', password: 'c' },
    { username: 'a', password: 'bc' },
  ]);
  const one = await authenticator.authenticate({ projectId: 'ab', key: 'c' });
  const two = await authenticator.authenticate({ projectId: 'a', key: 'bc' });
  assert.notEqual(one, two);
  assert.equal(two.projectId, 'a');
});

test('a verified login is remembered for a while and then forgotten', async () => {
  const { authenticator, clock, logins } = setUp();
  const first = await authenticator.authenticate(alice);
  await clock.advance(2_999);
  assert.equal(await authenticator.authenticate(alice), first);
  assert.equal(logins.started, 1, 'verified less than an interval ago');
  await clock.advance(57_001);
  assert.equal(clock.pending, 0);
  const second = await authenticator.authenticate(alice);
  assert.notEqual(second, first);
  assert.equal(logins.started, 2);
  assert.equal(second.loginId, first.loginId);
});

test('how long it is remembered counts from its last verification', async () => {
  const { authenticator, clock, logins } = setUp();
  const principal = await authenticator.authenticate(alice);
  const release = principal.retain();
  await clock.advance(30_000);
  release();
  await clock.advance(59_999);
  assert.equal(await authenticator.authenticate(alice), principal);
  await settle();
  const verified = logins.started;
  await clock.advance(59_999);
  assert.equal(await authenticator.authenticate(alice), principal);
  assert.equal(verified, 12);
});

test('a login that is used now and then is verified in the background', async () => {
  const { authenticator, clock, kafka, logins } = setUp();
  const principal = await authenticator.authenticate(alice);
  await clock.advance(10_000);
  assert.equal(logins.started, 1, 'nobody retains it, nobody used it');
  kafka.users.replace([]);
  assert.equal(await authenticator.authenticate(alice), principal, 'served from memory');
  await settle();
  assert.equal(logins.started, 2);
  assert.equal(principal.revoked.aborted, true);
  await assert.rejects(authenticator.authenticate(alice), refused);
});

test('a revoked credential ends within five seconds while it is in use', async () => {
  const { authenticator, clock, kafka } = setUp();
  const principal = await authenticator.authenticate(alice);
  const other = await authenticator.authenticate(bob);
  principal.retain();
  other.retain();
  await clock.advance(10_000);
  kafka.users.replace(users.filter(({ username }) => username !== 'alice'));
  await clock.advance(3_000);
  assert.ok(principal.revoked.reason instanceof MillraceError);
  assert.equal(principal.revoked.reason.code, 'UNAUTHENTICATED');
  assert.throws(() => principal.retain(), principal.revoked.reason);
  assert.equal(other.revoked.aborted, false);
  await assert.rejects(authenticator.authenticate(alice), refused);
});

test('a retained login is verified once in an interval, however many retain it', async () => {
  const { authenticator, clock, logins } = setUp();
  const releases = [];
  for (let client = 0; client < 500; client += 1) {
    releases.push((await authenticator.authenticate(alice)).retain());
  }
  await clock.advance(30_000);
  assert.equal(logins.started, 11);
  for (const release of releases) {
    release();
    release();
  }
  await clock.advance(30_000);
  assert.equal(logins.started, 11, 'a second release counts for nothing');
  await clock.advance(60_000);
  assert.equal(clock.pending, 0);
  assert.equal(logins.clients, 0, 'every client was closed');
});

test('one of two who release leaves the other watched', async () => {
  const { authenticator, clock, kafka } = setUp();
  const principal = await authenticator.authenticate(alice);
  const release = principal.retain();
  principal.retain();
  release();
  release();
  kafka.users.replace([]);
  await clock.advance(3_000);
  assert.equal(principal.revoked.aborted, true);
});

test('a principal that is retained after its time was up is watched again', async () => {
  const { authenticator, clock, kafka } = setUp();
  const principal = await authenticator.authenticate(alice);
  await clock.advance(120_000);
  principal.retain();
  await settle();
  assert.equal(principal.revoked.aborted, false);
  kafka.users.replace([]);
  await clock.advance(3_000);
  assert.equal(principal.revoked.aborted, true);
});

test('a cluster that cannot be reached revokes nobody and lets nobody new in', async () => {
  const { authenticator, clock, kafka } = setUp();
  const principal = await authenticator.authenticate(alice);
  principal.retain();
  kafka.setAvailable(false);
  await clock.advance(600_000);
  assert.equal(principal.revoked.aborted, false);
  assert.equal(await authenticator.authenticate(alice), principal);
  await assert.rejects(authenticator.authenticate(bob), { code: 'KAFKA_UNAVAILABLE' });
  kafka.setAvailable(true);
  assert.equal(
    (await authenticator.authenticate(bob)).projectId,
    'bob',
    'not remembered as a refusal',
  );
  kafka.users.replace([]);
  await clock.advance(3_000);
  assert.equal(principal.revoked.aborted, true);
});

test('guessing is no storm: a refusal is remembered for a moment', async () => {
  const { authenticator, clock, kafka, logins } = setUp();
  const wrong = { ...alice, key: 'new' };
  for (let attempt = 0; attempt < 100; attempt += 1) {
    await assert.rejects(authenticator.authenticate(wrong), refused);
  }
  assert.equal(logins.started, 1);
  kafka.users.replace([{ username: 'alice', password: 'new' }]);
  await clock.advance(2_000);
  assert.equal((await authenticator.authenticate(wrong)).projectId, 'alice');
});

test('of refusals only the newest are remembered', async () => {
  const { authenticator, logins } = setUp({ maxRefusals: 2 });
  const guess = (key: string): Promise<void> =>
    assert.rejects(authenticator.authenticate({ ...alice, key }), refused);
  for (const key of ['1', '2', '3']) await guess(key);
  await guess('3');
  await guess('2');
  assert.equal(logins.started, 3);
  await guess('1');
  assert.equal(logins.started, 4);
});

test('logins under way and waiting are bounded', async () => {
  const { authenticator, logins, holdLogins } = setUp();
  const proceed = holdLogins();
  const attempts = Array.from({ length: 6 }, (_, n) =>
    authenticator.authenticate({ projectId: `p${n}`, key: 'k' }),
  );
  const outcomes = Promise.allSettled(attempts);
  await settle();
  assert.equal(logins.open, 2);
  proceed();
  const codes = (await outcomes).map((outcome) =>
    outcome.status === 'rejected' && outcome.reason instanceof MillraceError
      ? outcome.reason.code
      : outcome.status,
  );
  assert.deepEqual(codes, [
    ...Array.from({ length: 5 }, () => 'UNAUTHENTICATED'),
    'LIMIT_EXCEEDED',
  ]);
  assert.equal(logins.mostOpen, 2);
  assert.equal(
    (await authenticator.authenticate(alice)).projectId,
    'alice',
    'the places are free again',
  );
});

test('guesses that wait do not hold up a revocation', async () => {
  const { authenticator, clock, kafka, holdLogins, logins } = setUp();
  const principal = await authenticator.authenticate(alice);
  principal.retain();
  await clock.advance(2_999);
  const proceed = holdLogins();
  const guesses = Array.from({ length: 5 }, (_, n) =>
    authenticator.authenticate({ projectId: `p${n}`, key: 'k' }),
  );
  const outcomes = Promise.allSettled(guesses);
  kafka.users.replace([]);
  await clock.advance(1);
  assert.equal(logins.open, 3, 'two first logins, and the verification beside them');
  proceed();
  await outcomes;
  assert.equal(principal.revoked.aborted, true);
});

test('after close nothing is asked any more', async () => {
  const { authenticator, clock, logins } = setUp();
  (await authenticator.authenticate(alice)).retain();
  authenticator.close();
  await clock.advance(600_000);
  assert.equal(logins.started, 1);
  assert.equal(clock.pending, 0);
});

test('no key is ever logged', async () => {
  const { authenticator, clock, kafka, log } = setUp();
  (await authenticator.authenticate(alice)).retain();
  kafka.setAvailable(false);
  await clock.advance(3_000);
  kafka.setAvailable(true);
  kafka.users.replace([]);
  await clock.advance(3_000);
  assert.deepEqual(
    log.lines.map(({ msg }) => msg),
    ['a login in use cannot be verified now', 'the cluster no longer accepts a key: revoked'],
  );
  assert.doesNotMatch(JSON.stringify(log.lines), /secret-of-alice/);
});

test('a clock that is set back does not put off that a revoked credential ends', async () => {
  const { authenticator, clock, kafka } = setUp();
  const principal = await authenticator.authenticate(alice);
  principal.retain();
  await clock.advance(1_000);
  clock.jump(-3_600_000);
  kafka.setUsers([]);
  // On a busy project somebody comes again and again.
  for (let second = 0; second < 5; second++) {
    await authenticator.authenticate(alice).catch(() => undefined);
    if (!principal.revoked.aborted) principal.retain();
    await clock.advance(1_000);
  }
  assert.equal(principal.revoked.aborted, true);
});

test('a clock that is set back does not have a refusal remembered for longer', async () => {
  const { authenticator, clock, kafka } = setUp();
  const carol = { projectId: 'carol', key: 'secret-of-carol' };
  await assert.rejects(authenticator.authenticate(carol), refused);
  clock.jump(-3_600_000);
  kafka.setUsers([{ username: 'carol', password: 'secret-of-carol' }]);
  await clock.advance(2_000);
  assert.equal((await authenticator.authenticate(carol)).projectId, 'carol');
});
