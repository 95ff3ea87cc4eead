import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { FeedError } from '../../../src/client/feed-error.ts';
import type { FeedState } from '../../../src/client/types.ts';
import { until } from '../../support/until.ts';
import { memoryStorage, setStage, stateIs } from './scripted-server.ts';

/** What the client throws as errors that nobody catches, instead of throwing it. */
function uncaught(t: TestContext): unknown[] {
  const thrown: unknown[] = [];
  const { queueMicrotask } = globalThis;
  t.mock.method(globalThis, 'queueMicrotask', (task: () => void) => {
    queueMicrotask(() => {
      try {
        task();
      } catch (error) {
        thrown.push(error);
      }
    });
  });
  return thrown;
}

test('asks for what it is told to, and shows its credentials first', async (t) => {
  const { client, connection } = await setStage(t);
  client.events('a/b', {
    where: [{ property: 'amount', operator: 'GT', value: 5 }],
    order: 'ARRIVAL',
    deduplicate: false,
    delivery: { mode: 'LATEST', by: 'user.id', everyMs: 250 },
    since: new Date(0),
  });
  const first = await connection();
  assert.deepEqual(await first.auth, { type: 'auth', projectId: 'acme', key: 'k' });
  assert.equal(first.url.pathname, '/feeds/a%2Fb');
  assert.deepEqual(Object.fromEntries(first.url.searchParams), {
    where: '[{"property":"amount","operator":"GT","value":5}]',
    order: 'ARRIVAL',
    deduplicate: 'false',
    delivery: '{"mode":"LATEST","by":"user.id","everyMs":250}',
    since: '1970-01-01T00:00:00.000Z',
  });
  client.deadLetters('a', { after: 'x' });
  const second = await connection();
  assert.equal(second.url.pathname, '/feeds/a/dead-letters');
  assert.equal(second.url.search, '?after=x');
});

test('iterates over what comes, and goes on behind it when the connection is cut', async (t) => {
  const { client, connection, clock } = await setStage(t);
  const feed = client.events('a');
  const ids: unknown[] = [];
  const reading = (async () => {
    for await (const { id } of feed) {
      ids.push(id);
      if (id === '4') break;
    }
  })();
  const first = await connection();
  first.ready('start');
  first.events('1', '2');
  await until('two', () => ids.length === 2);
  first.cut();
  const { reason, untilMs } = await stateIs(feed, 'waiting');
  assert.equal(reason.code, 'CONNECTION_LOST');
  assert.equal(untilMs, clock.now() + 500);
  await clock.advance(500);
  const second = await connection();
  assert.equal(second.url.searchParams.get('after'), 'after 2');
  second.ready();
  await stateIs(feed, 'catching-up');
  second.events('3', '4', '5');
  await reading;
  assert.deepEqual(ids, ['1', '2', '3', '4']);
  assert.deepEqual(feed.state, { name: 'closed', code: 'DONE' });
  await second.closed;
});

test('who was cut before anything came goes on with the cursor of ready, or of progress', async (t) => {
  const { client, connection, clock } = await setStage(t);
  const feed = client.events('a');
  const first = await connection();
  first.ready('start');
  await stateIs(feed, 'live');
  first.close(1012);
  await stateIs(feed, 'waiting');
  await clock.advance(500);
  const second = await connection();
  assert.equal(second.url.searchParams.get('after'), 'start');
  second.ready();
  second.send({ type: 'progress', cursor: 'later' }, { type: 'something', else: true });
  await until('the cursor', () => feed.cursor === 'later');
  second.close(1001);
  await stateIs(feed, 'waiting');
  await clock.advance(1_000);
  assert.equal((await connection()).url.searchParams.get('after'), 'later');
});

test('tells its state to whoever watches', async (t) => {
  const { client, connection, clock } = await setStage(t);
  const feed = client.events('a', { after: 'x' });
  const names: string[] = [feed.state.name];
  const end = feed.watch(({ name }) => names.push(name));
  const told: FeedState[] = [];
  const errors: unknown[] = [];
  feed.subscribe({
    next: () => undefined,
    state: (state) => told.push(state),
    error: (error) => errors.push(error),
  });
  const first = await connection();
  first.ready();
  await stateIs(feed, 'catching-up');
  first.send({ type: 'live', cursor: 'y' });
  await stateIs(feed, 'live');
  first.fail(1013, 'LIMIT_EXCEEDED', { limit: 'limits.x' });
  const { reason } = await stateIs(feed, 'waiting');
  assert.equal(reason.limit, 'limits.x');
  end();
  await clock.advance(500);
  (await connection()).fail(4404, 'TOPIC_NOT_FOUND');
  const { code } = await stateIs(feed, 'closed');
  assert.equal(code, 'TOPIC_NOT_FOUND');
  assert.equal(errors.length, 1);
  assert.deepEqual(names, ['connecting', 'catching-up', 'live', 'waiting']);
  assert.deepEqual(
    told.map(({ name }) => name),
    ['connecting', 'catching-up', 'live', 'waiting', 'connecting', 'closed'],
  );
});

for (const [what, topic] of [
  ['no', ''],
  ['the name of a folder', '.'],
  ['the name of the folder above', '..'],
  ['too long a', 'a'.repeat(250)],
] as const) {
  test(`a topic with ${what} name ends the feed at once`, async (t) => {
    const { client, connections, clock } = await setStage(t);
    for (const feed of [client.events(topic), client.deadLetters(topic)]) {
      const error = await feed.next().then(
        () => assert.fail('it goes on'),
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof FeedError);
      assert.deepEqual([error.code, error.argument], ['BAD_USER_INPUT', 'topic']);
      assert.match(error.message, /a name of 1 to 249 characters/);
      assert.deepEqual(feed.state, { name: 'closed', code: 'BAD_USER_INPUT', error });
    }
    await clock.advance(60_000);
    assert.equal(connections(), 0);
  });
}

test('a topic may have the longest name there is, of whatever characters', async (t) => {
  const { client, connection } = await setStage(t);
  const topic = '😀'.repeat(249);
  client.events(topic);
  assert.equal((await connection()).url.pathname, `/feeds/${encodeURIComponent(topic)}`);
});

test('waits longer with each failure in a row, and begins anew after a connection that held', async (t) => {
  const { client, connection, clock } = await setStage(t, { backoff: { mostMs: 3_000 } });
  const feed = client.events('a');
  const waits: (number | undefined)[] = [];
  for (let failure = 0; failure < 5; failure += 1) {
    const one = await connection();
    one.ready('x');
    await stateIs(feed, failure === 0 ? 'live' : 'catching-up');
    one.cut();
    const { untilMs = 0 } = await stateIs(feed, 'waiting');
    waits.push(untilMs - clock.now());
    await clock.advance(waits.at(-1) ?? 0);
  }
  assert.deepEqual(waits, [500, 1_000, 2_000, 3_000, 3_000]);
  assert.deepEqual(feed.state, { name: 'connecting', attempt: 6 });
  const stable = await connection();
  stable.ready();
  await stateIs(feed, 'catching-up');
  await clock.advance(10_000);
  stable.cut();
  const { untilMs = 0 } = await stateIs(feed, 'waiting');
  assert.equal(untilMs - clock.now(), 500);
});

for (const [closeCode, code] of [
  [4400, 'BAD_USER_INPUT'],
  [4403, 'FORBIDDEN'],
  [4403, 'UNAUTHENTICATED'],
  [4404, 'TOPIC_NOT_FOUND'],
  [4406, 'BAD_USER_INPUT'],
] as const) {
  test(`${closeCode} ${code} ends the feed`, async (t) => {
    const { client, connection } = await setStage(t);
    const feed = client.events('a');
    const next = feed.next();
    (await connection()).fail(closeCode, code, { argument: 'where' });
    await assert.rejects(next, (error: unknown) => {
      assert.ok(error instanceof FeedError);
      assert.equal(error.code, code);
      assert.equal(error.closeCode, closeCode);
      assert.equal(error.message, `because of ${code}`);
      assert.equal(error.argument, 'where');
      return true;
    });
    assert.equal(feed.state.name === 'closed' && feed.state.code, code);
    assert.deepEqual(await feed.next(), { done: true, value: undefined });
  });
}

for (const [closeCode, code] of [
  [1001, undefined],
  [1011, undefined],
  [1012, undefined],
  [1013, 'KAFKA_UNAVAILABLE'],
  [4408, 'UNAUTHENTICATED'],
  [4500, 'INTERNAL'],
] as const) {
  test(`after ${closeCode} ${code ?? ''} it connects again`, async (t) => {
    const { client, connection } = await setStage(t);
    const feed = client.events('a');
    const first = await connection();
    if (code === undefined) first.close(closeCode);
    else first.fail(closeCode, code);
    const { reason } = await stateIs(feed, 'waiting');
    assert.equal(reason.code, code ?? 'CONNECTION_LOST');
    assert.equal(reason.closeCode, closeCode);
  });
}

test('what was received before the end comes before the error', async (t) => {
  const { client, connection } = await setStage(t);
  const feed = client.events('a');
  const first = await connection();
  first.ready();
  first.events('1', '2');
  first.fail(4404, 'TOPIC_NOT_FOUND');
  await stateIs(feed, 'closed');
  const ids: unknown[] = [];
  await assert.rejects(async () => {
    for await (const { id } of feed) ids.push(id);
  }, /because of TOPIC_NOT_FOUND/);
  assert.deepEqual(ids, ['1', '2']);
});

test('a connection that has gone silent is given up, one that says it is alive is not', async (t) => {
  const { client, connection, clock } = await setStage(t);
  const feed = client.events('a');
  const first = await connection();
  first.ready('x');
  await stateIs(feed, 'live');
  for (let beat = 0; beat < 5; beat += 1) {
    await clock.advance(24_000);
    first.send({ type: 'alive' }, { type: 'progress', cursor: `beat ${beat}` });
    await until('the beat', () => feed.cursor === `beat ${beat}`);
  }
  await clock.advance(29_999);
  assert.equal(feed.state.name, 'live');
  await clock.advance(1);
  const { reason } = await stateIs(feed, 'waiting');
  assert.match(reason.message, /nothing was heard for 30000 ms/);
  await first.closed;
});

test('a connection that is never ready is given up', async (t) => {
  const { client, connection, clock } = await setStage(t, { patience: { connectMs: 5_000 } });
  const feed = client.events('a');
  const first = await connection();
  await first.auth;
  await clock.advance(5_000);
  const { reason } = await stateIs(feed, 'waiting');
  assert.equal(reason.code, 'CONNECTION_LOST');
});

test('what is not the protocol ends the feed', async (t) => {
  for (const text of ['hello', 'null', '{"type":"event"}']) {
    const { client, connection } = await setStage(t);
    const feed = client.events('a');
    (await connection()).sendText(text);
    await stateIs(feed, 'closed');
    await assert.rejects(feed.next(), { code: 'PROTOCOL_VIOLATED' });
  }
});

test('an address that cannot be one is refused', async (t) => {
  const { client } = await setStage(t, { url: 'not an address' });
  assert.throws(() => client.events('a'), TypeError);
});

test('the app is handed one item at a time, and what it throws ends the feed', async (t) => {
  const { client, connection } = await setStage(t);
  const storage = memoryStorage();
  const feed = client.events('a', { storage, storageKey: 'place' });
  const begun: unknown[] = [];
  const done: (() => void)[] = [];
  const errors: unknown[] = [];
  feed.subscribe({
    next: ({ id }) => {
      begun.push(id);
      if (id === '3') throw new Error('cannot take it');
      return new Promise<void>((resolve) => {
        done.push(resolve);
      });
    },
    error: (error) => errors.push(error),
  });
  const first = await connection();
  first.ready('start');
  await until('the beginning', () => storage.kept.get('place') === 'start');
  first.events('1', '2', '3', '4');
  first.send({ type: 'progress', cursor: 'end' });
  await until('the first', () => begun.length === 1);
  assert.equal(storage.kept.get('place'), 'start');
  done[0]?.();
  await until('the second', () => begun.length === 2);
  assert.equal(storage.kept.get('place'), 'after 1');
  done[1]?.();
  await until('the end', () => errors.length === 1);
  assert.deepEqual(begun, ['1', '2', '3']);
  assert.match(String(errors[0]), /cannot take it/);
  assert.equal(storage.kept.get('place'), 'after 2');
  await first.closed;
});

test('progress counts when what came before it is dealt with', async (t) => {
  const { client, connection } = await setStage(t);
  const feed = client.events('a');
  const first = await connection();
  first.ready('start');
  first.events('1');
  first.send({ type: 'progress', cursor: 'beyond 1' });
  first.events('2');
  first.fail(4404, 'TOPIC_NOT_FOUND');
  // All of it is here.
  await stateIs(feed, 'closed');
  const seen: unknown[] = [];
  await assert.rejects(async () => {
    for await (const { id } of feed) seen.push([id, feed.cursor]);
  }, /TOPIC_NOT_FOUND/);
  assert.deepEqual(seen, [
    ['1', 'start'],
    ['2', 'beyond 1'],
  ]);
  assert.equal(feed.cursor, 'after 2');
});

test('a stored cursor is where the next page goes on', async (t) => {
  const { client, connection } = await setStage(t);
  const storage = memoryStorage();
  const open = () => client.events('a', { storage, since: '2026-01-01T00:00:00Z' });
  const page = open();
  const first = await connection();
  assert.equal(first.url.searchParams.get('since'), '2026-01-01T00:00:00Z');
  page.subscribe(() => undefined);
  first.ready();
  first.events('1', '2');
  await until('the second', () => page.cursor === 'after 2');
  page.close();
  open();
  const second = await connection();
  assert.equal(second.url.searchParams.get('after'), 'after 2');
  assert.equal(second.url.searchParams.has('since'), false);
  // Other conditions are another feed.
  client.events('a', { storage, where: [{ property: 'b', value: 1 }] });
  const third = await connection();
  assert.equal(third.url.searchParams.has('after'), false);
});

test('of two open feeds that would keep their cursors in one place, the second is told so', async (t) => {
  const { client, connection } = await setStage(t);
  const storage = memoryStorage();
  const one = client.events('a', { storage });
  const first = await connection();
  first.ready();
  first.events('1');
  one.subscribe(() => undefined);
  await until('it to be stored', () => one.cursor === 'after 1');
  const same = client.events('a', { storage, since: new Date(0) });
  const error = await same.next().then(
    () => assert.fail('it goes on'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof FeedError);
  assert.deepEqual([error.code, error.argument], ['BAD_USER_INPUT', 'storageKey']);
  assert.match(error.message, /millrace ws:.*\/feeds\/a": close it, or give each a storageKey/);
  // Neither its end nor those of others are that of the first.
  same.close();
  assert.equal(client.events('a', { storage }).state.name, 'closed');
  client.events('a', { storage: memoryStorage() });
  client.events('a');
  client.deadLetters('a', { storage });
  for (let count = 0; count < 3; count += 1) await connection();
  assert.equal(one.state.name, 'live');
  one.close();
  assert.equal(client.events('a', { storage }).state.name, 'connecting');
  assert.equal((await connection()).url.searchParams.get('after'), 'after 1');
});

test('two feeds of the same with keys of their own go on where each was left, when the page is reloaded', async (t) => {
  const { client, connection } = await setStage(t);
  const storage = memoryStorage();
  // The one is quick, the other has dealt with less when the page is left.
  const left = { quick: '3', slow: '1' };
  for (const [storageKey, last] of Object.entries(left)) {
    const feed = client.events('a', { storage, storageKey });
    const one = await connection();
    one.ready();
    one.events('1', '2', '3', '4');
    for await (const _ of feed) if (feed.cursor === `after ${last}`) break;
  }
  for (const [storageKey, last] of Object.entries(left)) {
    client.events('a', { storage, storageKey });
    assert.equal((await connection()).url.searchParams.get('after'), `after ${last}`);
  }
});

test('a storage that takes nothing stops nobody, and leaves no old cursor behind', async (t) => {
  t.mock.method(console, 'warn', () => undefined);
  const { client, connection } = await setStage(t);
  const storage = memoryStorage();
  storage.setItem = (key, value) => {
    if (value === 'after 2') throw new Error('full');
    storage.kept.set(key, value);
  };
  const ids: unknown[] = [];
  client.events('a', { storage }).subscribe(({ id }) => ids.push(id));
  const first = await connection();
  first.ready();
  first.events('1', '2', '3');
  await until('all', () => ids.length === 3);
  assert.equal(storage.kept.size, 0);
});

function forbidden(): never {
  throw new Error('forbidden');
}

test('a storage that throws whatever is asked of it stops nobody either', async (t) => {
  const warn = t.mock.method(console, 'warn', () => undefined);
  const { client, connection } = await setStage(t);
  const storage = { getItem: () => 'old', setItem: forbidden, removeItem: forbidden };
  const ids: unknown[] = [];
  const feed = client.events('a', { storage, onLoss: 'now' });
  feed.subscribe(({ id }) => ids.push(id));
  const first = await connection();
  first.ready();
  first.events('1', '2');
  await until('all', () => ids.length === 2);
  assert.equal(warn.mock.callCount(), 2);
  first.fail(4410, 'CURSOR_EXPIRED');
  await stateIs(feed, 'waiting');
});

for (const code of ['CURSOR_EXPIRED', 'TOPIC_RECREATED', 'LOG_TRUNCATED'] as const) {
  const ranges = [{ partition: 0, from: 3, to: 9 }];
  test(`${code} says what is lost, and onLoss says where to go on`, async (t) => {
    const { client, connection, clock } = await setStage(t);
    const storage = memoryStorage();
    storage.setItem('place', 'old');
    for (const [goOn, search] of [
      ['earliest', '?since=1970-01-01T00%3A00%3A00Z'],
      ['now', ''],
    ] as const) {
      const losses: unknown[] = [];
      const feed = client.events('a', {
        after: 'old',
        storage,
        storageKey: 'place',
        onLoss: (loss) => {
          losses.push(loss.code, loss.ranges);
          return goOn;
        },
      });
      (await connection()).fail(4410, code, { ranges });
      await stateIs(feed, 'waiting');
      assert.deepEqual(losses, [code, ranges]);
      assert.equal(storage.kept.size, 0);
      await clock.advance(500);
      assert.equal((await connection()).url.search, search);
      feed.close();
    }
    const feed = client.events('a', { after: 'old' });
    const next = feed.next();
    (await connection()).fail(4410, code, { ranges });
    await assert.rejects(next, { code, ranges });
  });
}

test('what onLoss throws is the app’s own, and ends the feed by the loss', async (t) => {
  const thrown = uncaught(t);
  const own = new Error('cannot decide');
  const { client, connection } = await setStage(t);
  const feed = client.events('a', {
    after: 'old',
    onLoss: () => {
      throw own;
    },
  });
  const next = feed.next();
  (await connection()).fail(4410, 'CURSOR_EXPIRED');
  await assert.rejects(next, { code: 'CURSOR_EXPIRED' });
  assert.deepEqual(thrown, [own]);
});

test('a feed that the app closes when it hears of a loss stays closed', async (t) => {
  const { client, connection, connections, clock } = await setStage(t);
  const feed = client.events('a', {
    after: 'old',
    onLoss: () => {
      feed.close();
      return 'now';
    },
  });
  (await connection()).fail(4410, 'CURSOR_EXPIRED');
  assert.equal((await stateIs(feed, 'closed')).code, 'DONE');
  await clock.advance(60_000);
  assert.deepEqual(feed.state, { name: 'closed', code: 'DONE' });
  assert.equal(connections(), 1);
});

test('a stored cursor that is of another feed is a loss; the app’s own is its mistake', async (t) => {
  const { client, connection, clock } = await setStage(t);
  const storage = memoryStorage();
  storage.setItem('place', 'of another one');
  const feed = client.events('a', { storage, storageKey: 'place', onLoss: 'now' });
  (await connection()).fail(4400, 'CURSOR_INVALID');
  await stateIs(feed, 'waiting');
  await clock.advance(500);
  assert.equal((await connection()).url.search, '');
  const own = client.events('a', { after: 'mine', onLoss: 'now' });
  (await connection()).fail(4400, 'CURSOR_INVALID');
  await stateIs(own, 'closed');
});

test('a busy app holds up the feed, which then goes on where it was', async (t) => {
  const { client, connection } = await setStage(t);
  const feed = client.events('a', { maxWaiting: 200 });
  const first = await connection();
  first.ready();
  first.events('1', '2', '3', '4', '5');
  const { reason, untilMs } = await stateIs(feed, 'waiting');
  assert.deepEqual([reason.code, untilMs], ['TOO_SLOW', undefined]);
  await first.closed;
  const ids: unknown[] = [];
  const reading = (async () => {
    for await (const { id } of feed) {
      ids.push(id);
      if (id === '5') break;
    }
  })();
  const second = await connection();
  const after = second.url.searchParams.get('after') ?? '';
  const last = Number(after.replace('after ', ''));
  assert.ok(last >= 3 && last <= 5, after);
  second.ready();
  second.events(...['1', '2', '3', '4', '5'].slice(last));
  if (last < 5) await reading;
  else feed.close();
  assert.deepEqual(ids, ['1', '2', '3', '4', '5'].slice(0, ids.length));
});

test('a connection that held counts as one also when it was the app that could not follow', async (t) => {
  const { client, connection, clock } = await setStage(t);
  const feed = client.events('a', { maxWaiting: 0 });
  (await connection()).cut();
  await stateIs(feed, 'waiting');
  await clock.advance(500);
  assert.deepEqual(feed.state, { name: 'connecting', attempt: 2 });
  const stable = await connection();
  stable.ready();
  await stateIs(feed, 'live');
  await clock.advance(10_000);
  stable.events('1');
  await stateIs(feed, 'waiting');
  assert.equal((await feed.next()).value?.id, '1');
  assert.deepEqual(feed.state, { name: 'connecting', attempt: 1 });
  feed.close();
});

test('a watcher that throws does not end the feed, and is heard of', async (t) => {
  const { client, connection } = await setStage(t);
  const feed = client.events('a');
  const own = new Error('of the watcher');
  const thrown = uncaught(t);
  feed.watch(({ name }) => {
    if (name === 'live') throw own;
  });
  const one = await connection();
  one.ready();
  await stateIs(feed, 'live');
  one.events('1');
  assert.equal((await feed.next()).value?.id, '1');
  assert.deepEqual(thrown, [own]);
});

test('a signal closes a feed, before it has begun and later', async (t) => {
  const { client, connection, connections } = await setStage(t);
  const reason = new Error('no longer wanted');
  const early = client.events('a', { signal: AbortSignal.abort(reason) });
  assert.deepEqual(early.state, { name: 'closed', code: 'DONE' });
  await assert.rejects(early.next(), reason);
  assert.equal(connections(), 0);
  const ending = new AbortController();
  const feed = client.events('a', { signal: ending.signal });
  const next = feed.next();
  const first = await connection();
  first.ready();
  ending.abort(reason);
  await assert.rejects(next, reason);
  await first.closed;
});

test('closing the client closes its feeds, also one that waits', async (t) => {
  const { client, connection, clock, connections } = await setStage(t);
  const feeds = [client.events('a'), client.deadLetters('a')];
  (await connection()).ready();
  (await connection()).cut();
  await until('one to wait', () => feeds.some(({ state }) => state.name === 'waiting'));
  client.close();
  for (const feed of feeds) assert.deepEqual(feed.state, { name: 'closed', code: 'DONE' });
  await clock.advance(60_000);
  assert.equal(connections(), 2);
  assert.equal(clock.pending, 0);
});

test('a feed is taken once', async (t) => {
  const { client } = await setStage(t);
  const feed = client.events('a');
  feed.subscribe(() => undefined);
  assert.throws(() => feed.subscribe(() => undefined), TypeError);
  assert.throws(() => feed[Symbol.asyncIterator](), TypeError);
});

/** Numbers that are rounded come as their text. */
const parse = (text: string): unknown =>
  JSON.parse(text, (_, value: unknown, { source }: { source?: string } = {}) =>
    typeof value === 'number' && source !== String(value) ? source : value,
  );

test('another parser keeps what JSON.parse would round', async (t) => {
  const { client, connection } = await setStage(t, { parse });
  const payloads: unknown[] = [];
  client.events<{ n: unknown }>('a').subscribe(({ payload }) => payloads.push(payload.n));
  const first = await connection();
  first.sendText(
    '{"type":"event","event":{"id":"1","payload":{"n":12345678901234567890},"cursor":"c"}}',
  );
  await until('it', () => payloads.length === 1);
  assert.deepEqual(payloads, ['12345678901234567890']);
});
