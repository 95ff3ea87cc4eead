import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Client } from '../../../src/client/client.ts';
import type { Feed } from '../../../src/client/feed.ts';
import type { Socket, SocketListener } from '../../../src/client/surroundings.ts';
import type { Event } from '../../../src/client/types.ts';
import { manualSurroundings } from './manual-surroundings.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';
import { memoryStorage } from './scripted-server.ts';

/** One connection on the server's side. */
class Line implements Socket {
  readonly #listener: SocketListener;
  readonly #server: Server;
  /** How many events the client has been sent, or had before; undefined: it has not been let in. */
  sent: number | undefined;
  isOpen = true;
  readonly #after: string | null;

  constructor(server: Server, url: string, listener: SocketListener) {
    this.#server = server;
    this.#listener = listener;
    this.#after = new URL(url).searchParams.get('after');
  }

  opened(): void {
    if (this.isOpen) this.#listener.opened();
  }

  send(): void {
    const known = this.#after === null ? this.#server.recorded : Number(this.#after);
    this.sent = known;
    this.say({ type: 'ready', ...(this.#after === null ? { cursor: String(known) } : {}) });
  }

  close(): void {
    this.isOpen = false;
  }

  say(message: object): void {
    if (this.isOpen) this.#listener.received(JSON.stringify(message));
  }

  end(code: number, error?: string): void {
    if (!this.isOpen) return;
    if (error !== undefined) this.say({ type: 'error', code: error, message: error });
    this.isOpen = false;
    this.#listener.closed(code, '');
  }
}

const ends = [
  [1006, undefined],
  [1012, undefined],
  [1013, 'LIMIT_EXCEEDED'],
  [4403, 'UNAUTHENTICATED'],
  [4408, 'UNAUTHENTICATED'],
  [4500, 'INTERNAL'],
] as const;

/** A log of numbered events; the cursor of each is how many there are up to it. */
class Server {
  recorded = 0;
  lines: Line[] = [];

  open(url: string, listener: SocketListener): Line {
    const line = new Line(this, url, listener);
    this.lines = [...this.lines.filter(({ isOpen }) => isOpen), line];
    queueMicrotask(() => line.opened());
    return line;
  }

  /** Sends so many of the events that the clients have yet to get. */
  deliver(most: number): void {
    for (const line of this.lines) {
      for (let count = 0; count < most && line.sent !== undefined; count += 1) {
        if (line.sent >= this.recorded || !line.isOpen) break;
        line.sent += 1;
        const cursor = String(line.sent);
        line.say({ type: 'event', event: { id: cursor, cursor } });
      }
    }
  }

  end([code, error]: (typeof ends)[number]): void {
    for (const line of this.lines) line.end(code, error);
  }

  /** Tells how far they have come. */
  report(type: 'progress' | 'live'): void {
    for (const line of this.lines) {
      if (line.sent !== undefined) line.say({ type, cursor: String(line.sent) });
    }
  }
}

const action = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant('record' as const), count: fc.nat(4) }) },
  { weight: 6, arbitrary: fc.record({ does: fc.constant('deliver' as const), count: fc.nat(6) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('report' as const),
      type: fc.constantFrom('progress' as const, 'live' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ does: fc.constant('end' as const), how: fc.constantFrom(...ends) }),
  },
  { weight: 5, arbitrary: fc.record({ does: fc.constant('deal' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constant('wait' as const),
      ms: fc.constantFrom(1, 500, 2_000, 31_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('online' as const) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('reload' as const) }) },
);

const askForToken = (): Promise<string> => Promise.resolve('token');

type Way = 'at once' | 'later' | 'iterating';

/** A page: what it has dealt with is kept together with the place in the feed. */
class Page {
  readonly #feed: Feed<Event>;
  readonly #deal: (id: string) => void;
  /** With what it is given at the moment, it deals when it is told to. */
  #finish: (() => void) | undefined;
  #isGone = false;

  constructor(feed: Feed<Event>, way: Way, deal: (id: string) => void) {
    this.#feed = feed;
    this.#deal = (id) => {
      if (!this.#isGone) deal(id);
    };
    if (way === 'iterating') void this.#iterate();
    else {
      feed.subscribe(({ id }) => {
        if (way === 'at once') return this.#deal(String(id));
        return this.#busy(String(id));
      });
    }
  }

  finish(): void {
    const finish = this.#finish;
    this.#finish = undefined;
    finish?.();
  }

  leave(): void {
    this.#isGone = true;
    this.#feed.close();
  }

  get state(): string {
    return this.#feed.state.name;
  }

  async #iterate(): Promise<void> {
    for await (const { id } of this.#feed) await this.#busy(String(id));
  }

  #busy(id: string): Promise<void> {
    return new Promise((resolve) => {
      this.#finish = () => {
        this.#deal(id);
        resolve();
      };
    });
  }
}

test('property: an app deals with each event once and in order, and what is stored is where it is', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(action, { maxLength: 80, size: 'max' }),
      fc.constantFrom<Way>('at once', 'later', 'iterating'),
      fc.constantFrom(60, 4_000_000),
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      async (actions, way, maxWaiting, random) => {
        const clock = new ManualClock();
        const server = new Server();
        const { surroundings, watching } = manualSurroundings(clock, random, (url, listener) =>
          server.open(url, listener),
        );
        let [dealt, stored] = [0, 0];
        const storage = memoryStorage();
        storage.setItem = (key, value) => {
          storage.kept.set(key, value);
          stored = Number(value);
          assert.equal(stored, dealt);
        };
        const deal = (id: string): void => {
          dealt += 1;
          assert.equal(id, String(dealt));
        };
        const open = (): Page => {
          // What it had not stored yet it deals with again.
          dealt = stored;
          const client = new Client({ url: 'http://millrace', token: askForToken }, surroundings);
          return new Page(client.events('a', { storage, after: '0', maxWaiting }), way, deal);
        };
        let page = open();
        for (const now of actions) {
          if (now.does === 'record') server.recorded += now.count;
          else if (now.does === 'deliver') server.deliver(now.count);
          else if (now.does === 'report') server.report(now.type);
          else if (now.does === 'end') server.end(now.how);
          else if (now.does === 'deal') page.finish();
          else if (now.does === 'wait') await clock.advance(now.ms);
          else if (now.does === 'online') for (const listener of watching) listener();
          else {
            page.leave();
            page = open();
          }
          await settle(1);
          assert.ok(server.lines.filter(({ isOpen }) => isOpen).length <= 1);
          assert.ok(watching.size <= 1);
        }
        // A client that is refused fresh tokens again and again gives up.
        if (page.state === 'closed') page = open();
        for (let tries = 0; dealt < server.recorded && tries < 2_000; tries += 1) {
          server.deliver(5);
          await settle(1);
          page.finish();
          await settle(1);
          if (tries % 5 === 0) await clock.advance(5_000);
        }
        assert.equal(dealt, server.recorded);
        page.leave();
        await settle(1);
        assert.deepEqual([clock.pending, watching.size], [0, 0]);
        assert.ok(server.lines.every(({ isOpen }) => !isOpen));
      },
    ),
    { numRuns: 200 },
  );
});
