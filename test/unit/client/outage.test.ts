import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Client, type ClientOptions } from '../../../src/client/client.ts';
import type { Feed } from '../../../src/client/feed.ts';
import type { Socket, SocketListener } from '../../../src/client/surroundings.ts';
import type { Event, FeedState } from '../../../src/client/types.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { Dice } from '../../model/dice.ts';
import { manualSurroundings } from './manual-surroundings.ts';

/** What a server does with whoever connects: it cannot be reached, lets in, or lets in and is gone at once. */
type Mood = 'down' | 'up' | 'flapping';

class Server {
  mood: Mood = 'up';
  /** How often a client has connected, or tried to. */
  attempts = 0;
  #open = new Set<SocketListener>();

  readonly connect = (_url: string, listener: SocketListener): Socket => {
    this.attempts += 1;
    queueMicrotask(() => (this.mood === 'down' ? listener.closed(1006, '') : listener.opened()));
    return {
      send: () => {
        this.#open.add(listener);
        listener.received('{"type":"ready","cursor":"c"}');
        if (this.mood === 'flapping') this.end();
      },
      close: () => this.#open.delete(listener),
    };
  };

  /** Ends all connections. @param code of an `error` before it */
  end(closeCode = 1006, code?: string): void {
    for (const listener of this.#open) {
      if (code !== undefined) listener.received(JSON.stringify({ type: 'error', code }));
      listener.closed(closeCode, '');
    }
    this.#open.clear();
  }
}

const url = 'http://millrace';
/** How far apart feeds come back at the most: the longest wait after three failures. */
const withinMs = 2_000;

/** A page: clients of one server, or of several. @param random for each wait */
function setPage({ random = () => 1, ...given }: { random?: () => number; mood?: Mood } = {}) {
  const clock = new ManualClock();
  const server = new Server();
  server.mood = given.mood ?? 'up';
  const { surroundings, watching } = manualSurroundings(clock, random, server.connect);
  const feeds: Feed<Event>[] = [];
  const clients: Client[] = [];
  return {
    clock,
    server,
    feeds,
    come: () => {
      for (const listener of watching) listener();
    },
    open(count: number, options: Partial<ClientOptions> = {}): Feed<Event> {
      // The server says nothing after `ready`.
      const patience = { silenceMs: 1e9 };
      const usual = { url, projectId: 'p', key: 'k', patience };
      const merged: ClientOptions = Object.assign(usual, options);
      const client = new Client(merged, surroundings);
      clients.push(client);
      const opened = Array.from({ length: count }, () => client.events('a'));
      feeds.push(...opened);
      return opened[0] ?? assert.fail('none was asked for');
    },
    leave: () => {
      for (const client of clients) client.close();
    },
  };
}

/** Numbers from 0 up to 1, as evenly as those of the platform. */
function jitter(seed: number): () => number {
  const dice = new Dice(seed);
  return () => dice.below(1e6) / 1e6;
}

/** Until when a feed waits. */
function waitsUntil({ state }: Feed<Event>): number {
  assert.equal(state.name, 'waiting');
  return (state.name === 'waiting' && state.untilMs) || assert.fail('it does not wait for a time');
}

test('property: when a server is back, all feeds of a page are there within two seconds of the first', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 120_000 }),
      async (seed, ofOne, ofOther, outageMs) => {
        const page = setPage({ random: jitter(seed) });
        const { clock, server, feeds } = page;
        page.open(ofOne);
        page.open(ofOther);
        await clock.advance(60_000);
        server.mood = 'down';
        server.end();
        await clock.advance(outageMs);
        server.mood = 'up';
        const backAtMs: number[] = [];
        for (const feed of feeds) {
          const wasLost = feed.state.name !== 'live' && feed.state.name !== 'catching-up';
          assert.ok(wasLost);
          feed.watch(({ name }) => {
            if (name === 'catching-up') backAtMs.push(clock.now());
          });
        }
        await clock.advance(30_000);
        assert.equal(backAtMs.length, feeds.length);
        const apartMs = Math.max(...backAtMs) - Math.min(...backAtMs);
        assert.ok(apartMs <= withinMs, `${apartMs} ms`);
        page.leave();
        assert.equal(clock.pending, 0);
      },
    ),
    { numRuns: 100 },
  );
});

test('property: feeds do not hurry each other on and on to a server that lets in and is gone', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.integer({ min: 2, max: 6 }), async (seed, count) => {
      const page = setPage({ mood: 'flapping', random: jitter(seed) });
      page.open(count);
      const hurried = page.feeds.map((feed) => {
        const seen = { count: 0 };
        let before: FeedState['name'] = feed.state.name;
        feed.watch(({ name }) => {
          if (name === 'waiting' && before === 'waiting') seen.count += 1;
          before = name;
        });
        return seen;
      });
      await page.clock.advance(600_000);
      for (const seen of hurried) assert.ok(seen.count <= 1, `${seen.count} times`);
      page.leave();
    }),
    { numRuns: 50 },
  );
});

test('when the network or the reader is back, a feed waits as after a first failure', async () => {
  const page = setPage({ mood: 'down', random: () => 0.5 });
  const { clock, server } = page;
  const feed = page.open(1);
  // Attempts at 0, 250, 750, 1750, 3750, 7750; the next one 8 s later.
  await clock.advance(8_000);
  assert.equal(waitsUntil(feed) - clock.now(), 7_750);
  page.come();
  assert.equal(waitsUntil(feed) - clock.now(), 250);
  await clock.advance(100);
  page.come();
  assert.equal(waitsUntil(feed) - clock.now(), 150);
  // It is one more failure in the row, not a new beginning; and the reader may come again.
  await clock.advance(150);
  assert.equal(waitsUntil(feed) - clock.now(), 15_000);
  page.come();
  server.mood = 'up';
  await clock.advance(250);
  assert.equal(feed.state.name, 'live');
  page.come();
  await clock.advance(0);
  assert.equal(server.attempts, 8);
  page.leave();
});

for (const [closeCode, code] of [
  [1013, 'LIMIT_EXCEEDED'],
  [1013, 'KAFKA_UNAVAILABLE'],
  [1013, undefined],
  [4403, 'UNAUTHENTICATED'],
  [4408, 'UNAUTHENTICATED'],
  [4500, 'INTERNAL'],
] as const) {
  test(`who was refused with ${closeCode} ${code ?? ''} is not hurried by anything`, async () => {
    const page = setPage();
    const { clock, server } = page;
    const refused = page.open(1, { url, ...byToken, backoff: { firstMs: 100, stableMs: 1e9 } });
    for (let failure = 0; failure < 6; failure += 1) {
      await clock.advance(0);
      server.end(closeCode, code);
      await clock.advance(0);
      if (failure < 5) await clock.advance(waitsUntil(refused) - clock.now());
    }
    const untilMs = waitsUntil(refused);
    assert.ok(untilMs - clock.now() > 2_000);
    page.open(1);
    await clock.advance(0);
    page.come();
    assert.equal(waitsUntil(refused), untilMs);
    page.leave();
  });
}

const byToken = { token: () => Promise.resolve('t'), projectId: undefined, key: undefined };

test('neither another server that is back says anything, nor another user’s token', async () => {
  const page = setPage({ mood: 'down', random: jitter(1) });
  const { clock, server, feeds } = page;
  let [isOffline, asked] = [true, 0];
  const token = (): Promise<string> => {
    asked += 1;
    return isOffline ? Promise.reject(new Error('offline')) : Promise.resolve('t');
  };
  const feed = page.open(1);
  page.open(2, { ...byToken, token });
  await clock.advance(30_000);
  const before = feeds.map(waitsUntil);
  server.mood = 'up';
  page.open(1, { url: 'http://elsewhere' });
  await clock.advance(0);
  assert.deepEqual(feeds.slice(0, 3).map(waitsUntil), before);
  page.open(1);
  await clock.advance(0);
  assert.ok(waitsUntil(feed) <= clock.now() + withinMs);
  const bearers = feeds.slice(1, 3);
  assert.deepEqual(bearers.map(waitsUntil), before.slice(1));
  // When one of a client has got a token, it is there for all of them.
  [isOffline, asked] = [false, 0];
  const firstMs = Math.min(...before.slice(1));
  assert.ok(Math.max(...before.slice(1)) > firstMs + withinMs);
  await clock.advance(firstMs - clock.now() + withinMs);
  assert.deepEqual(
    bearers.map(({ state }) => state.name),
    ['live', 'live'],
  );
  assert.equal(asked, 1);
  page.leave();
});
