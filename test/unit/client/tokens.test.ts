import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FeedError } from '../../../src/client/feed-error.ts';
import { until } from '../../support/until.ts';
import { setStage, stateIs } from './scripted-server.ts';

/** A source of tokens that are numbered. */
function numbered() {
  let asked = 0;
  return {
    token: () => {
      asked += 1;
      return Promise.resolve(`token ${asked}`);
    },
    get asked() {
      return asked;
    },
  };
}

test('a token serves all feeds, and their next connections, until it is refused', async (t) => {
  const source = numbered();
  const { client, connection, clock } = await setStage(t, { token: source.token });
  const feeds = [client.events('a'), client.events('b')];
  for (const one of [await connection(), await connection()]) {
    assert.deepEqual(await one.auth, { type: 'auth', token: 'token 1' });
    one.ready();
    one.cut();
  }
  for (const feed of feeds) await stateIs(feed, 'waiting');
  await clock.advance(500);
  const again = [await connection(), await connection()];
  for (const one of again) assert.equal((await one.auth)['token'], 'token 1');
  assert.equal(source.asked, 1);
});

test('when it expires another one is asked for at once, and the feed goes on', async (t) => {
  const source = numbered();
  const { client, connection, clock } = await setStage(t, { token: source.token });
  const feed = client.events('a');
  const ids: unknown[] = [];
  feed.subscribe(({ id }) => ids.push(id));
  const first = await connection();
  first.ready();
  first.events('1');
  await until('the event', () => ids.length === 1);
  await clock.advance(1_000);
  first.fail(4403, 'UNAUTHENTICATED');
  const second = await connection();
  assert.equal((await second.auth)['token'], 'token 2');
  assert.equal(second.url.searchParams.get('after'), 'after 1');
  assert.deepEqual(ids, ['1']);
});

test('when the token of many feeds expires one other is asked for, however long it takes', async (t) => {
  const answers = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  let asked = 0;
  const token = (): Promise<string> => {
    asked += 1;
    return answers[asked - 1]?.promise ?? Promise.resolve('one more');
  };
  answers[0]?.resolve('the first');
  const { client, connection, clock } = await setStage(t, { token });
  const feeds = ['a', 'b', 'c'].map((topic) => client.events(topic));
  const connections = [await connection(), await connection(), await connection()];
  for (const one of connections) one.ready();
  for (const feed of feeds) await stateIs(feed, 'live');
  await clock.advance(1_000);
  for (const one of connections) one.fail(4403, 'UNAUTHENTICATED');
  for (const feed of feeds) await stateIs(feed, 'connecting');
  answers[1]?.resolve('the second');
  for (const one of [await connection(), await connection(), await connection()]) {
    assert.equal((await one.auth)['token'], 'the second');
  }
  assert.equal(asked, 2);
});

test('fresh tokens that are refused are not asked for without end', async (t) => {
  const source = numbered();
  const { client, connection, clock } = await setStage(t, { token: source.token });
  const feed = client.events('a');
  for (let refusal = 1; refusal <= 2; refusal += 1) {
    (await connection()).fail(4403, 'UNAUTHENTICATED');
    const { untilMs = 0 } = await stateIs(feed, 'waiting');
    await clock.advance(untilMs - clock.now());
  }
  (await connection()).fail(4403, 'UNAUTHENTICATED');
  const { code } = await stateIs(feed, 'closed');
  assert.equal(code, 'UNAUTHENTICATED');
  assert.equal(source.asked, 3);
});

test('feeds that are ended as soon as they are ready do not come back in a storm', async (t) => {
  const source = numbered();
  const { client, connection, clock } = await setStage(t, { token: source.token });
  const feed = client.events('a');
  const waits: number[] = [];
  for (let time = 1; time <= 3; time += 1) {
    const one = await connection();
    one.ready();
    one.fail(4403, 'UNAUTHENTICATED');
    const { untilMs = 0 } = await stateIs(feed, 'waiting');
    waits.push(untilMs - clock.now());
    await clock.advance(untilMs - clock.now());
  }
  assert.deepEqual(waits, [500, 1_000, 2_000]);
});

test('a fresh token that may not do this ends the feed', async (t) => {
  const { client, connection } = await setStage(t, { token: numbered().token });
  const feed = client.events('a');
  (await connection()).fail(4403, 'FORBIDDEN');
  assert.equal((await stateIs(feed, 'closed')).code, 'FORBIDDEN');
});

test('a token that is given as a text is not renewed', async (t) => {
  const { client, connection } = await setStage(t, { token: 'the one' });
  const feed = client.events('a');
  const first = await connection();
  first.ready();
  await stateIs(feed, 'live');
  first.fail(4403, 'UNAUTHENTICATED');
  assert.equal((await stateIs(feed, 'closed')).code, 'UNAUTHENTICATED');
});

test('while no token can be had it is asked for again; the app may say that there will be none', async (t) => {
  const answers: (() => Promise<string>)[] = [
    () => Promise.reject(new Error('offline')),
    () => new Promise(() => undefined),
    () => Promise.reject(new FeedError('UNAUTHENTICATED', 'logged out')),
  ];
  let asked = 0;
  const { client, clock, connections } = await setStage(t, {
    token: () => {
      asked += 1;
      return answers[asked - 1]?.() ?? Promise.resolve('');
    },
  });
  const feed = client.events('a');
  const first = await stateIs(feed, 'waiting');
  assert.equal(first.reason.code, 'TOKEN_UNAVAILABLE');
  assert.match(first.reason.message, /offline/);
  await clock.advance(500);
  await until('the second', () => asked === 2);
  await clock.advance(20_000);
  const second = await stateIs(feed, 'waiting');
  assert.match(second.reason.message, /none within 20000 ms/);
  await clock.advance(1_000);
  assert.equal((await stateIs(feed, 'closed')).code, 'UNAUTHENTICATED');
  assert.equal(connections(), 0);
});
