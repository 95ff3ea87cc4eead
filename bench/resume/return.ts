import { setTimeout as sleep } from 'node:timers/promises';
import { FeedClient } from './client.ts';
import type { BenchEvent } from './log.ts';
import { appendAll, type Stage } from './stage.ts';

const hourMs = 3_600_000;
/** Of the users whose events make up the log, each client follows one, if it filters. */
const everybody = 'all';
const liveEvents = { perTurn: 2, everyMs: 100 };
const giveUpAfterMs = 300_000;

export interface ReturnOptions {
  readonly clients: number;
  /** In the hour before they come back. */
  readonly events: number;
  /** Whether each client filters, so that it gets one in so many events. */
  readonly filters: boolean;
}

/** What one client must get, and got. */
interface Returned {
  readonly index: number;
  readonly cursor: string;
  readonly expected: { count: number; sum: number };
  readonly got: { count: number; sum: number };
  liveAfterMs: number | undefined;
  lastLive: number;
}

/**
 * Clients with cursors that are spread evenly over an hour of log come back at once, to a server that has just
 * been started, while events go on to come. One is live when it gets what was recorded after all of them had
 * come, for which it must have got all before.
 */
export async function runReturn(
  stage: Stage,
  { clients, events, filters }: ReturnOptions,
): Promise<object> {
  const startMs = Date.now() - hourMs;
  const eventAt = (n: number): BenchEvent => ({
    n,
    atMs: Math.floor(startMs + (n * (hourMs - 5_000)) / events),
    user: `u${n % clients}`,
  });
  await appendAll(stage.log, events, eventAt);
  const returning = await cursorsOf(stage, { startMs, clients, events, filters });
  const server = await stage.startServer({
    MILLRACE_LIMITS_STALL_TIMEOUT: '1h',
    // All of them are one project's.
    MILLRACE_LIMITS_SUBSCRIPTIONS_PER_CONNECTION: '10000',
  });
  let next = events;
  const live = new AbortController();
  const producing = produce(stage, live.signal, () => next++);
  const opened: FeedClient[] = [];
  try {
    const began = performance.now();
    const firstLive = next;
    let missing = returning.length;
    let finished = returning.length;
    let last = Number.POSITIVE_INFINITY;
    const allLive = Promise.withResolvers<void>();
    const allDone = Promise.withResolvers<void>();
    for (const client of returning) {
      const user = `u${client.index}`;
      const where = [{ property: 'user', operator: 'IN', value: [user, everybody] }];
      const filter = filters ? `&where=${encodeURIComponent(JSON.stringify(where))}` : '';
      void FeedClient.open({
        port: server.port,
        query: `after=${client.cursor}${filter}`,
        onEvent: ({ n }) => {
          client.got.count += 1;
          client.got.sum += n;
          if (n >= firstLive && client.liveAfterMs === undefined) {
            client.liveAfterMs = performance.now() - began;
            missing -= 1;
            if (missing === 0) allLive.resolve();
          }
          client.lastLive = Math.max(client.lastLive, n);
          if (n === last) {
            finished -= 1;
            if (finished === 0) allDone.resolve();
          }
        },
      }).then(
        (opening) => opened.push(opening),
        (error: unknown) => allLive.reject(error),
      );
    }
    await Promise.race([allLive.promise, gaveUp(() => missing)]);
    const { most } = await server.remote.call('readers');
    // Whoever has the last event has them all.
    live.abort();
    await producing;
    last = next;
    next += 1;
    await sleep(1_000);
    await stage.log.append([{ n: last, atMs: Date.now(), user: everybody }]);
    await Promise.race([allDone.promise, gaveUp(() => finished)]);
    const wrong = returning.filter(({ expected, got }) => {
      const count = expected.count + next - events;
      const sum = expected.sum + sumUpTo(next) - sumUpTo(events);
      return got.count !== count || got.sum !== sum;
    });
    const deliveries = returning.reduce((sum, { got }) => sum + got.count, 0);
    const times = returning
      .map(({ liveAfterMs = Number.NaN }) => liveAfterMs)
      .toSorted((a, b) => a - b);
    await sleep(2_000);
    const { now } = await server.remote.call('readers');
    return {
      clients,
      events,
      filters,
      deliveries,
      allLiveAfterS: round1((times.at(-1) ?? Number.NaN) / 1_000),
      halfLiveAfterS: round1((times[Math.floor(times.length / 2)] ?? Number.NaN) / 1_000),
      // But the live feed of the topic.
      mostReaders: most - 1,
      readersAfterwards: now - 1,
      clientsWithLossOrRepeat: wrong.length,
    };
  } finally {
    live.abort();
    for (const client of opened) client.close();
    await producing;
    await server.stop();
  }
}

/** Reads the whole log once, as a client would have, and notes cursors on the way. */
async function cursorsOf(
  stage: Stage,
  { startMs, clients, events, filters }: ReturnOptions & { readonly startMs: number },
): Promise<Returned[]> {
  const server = await stage.startServer();
  const order = new Int32Array(events);
  const cursors: string[] = [];
  const { promise: done, resolve } = Promise.withResolvers<void>();
  let count = 0;
  const reading = await FeedClient.open({
    port: server.port,
    query: `since=${new Date(startMs - 1_000).toISOString()}`,
    onEvent: ({ n, cursor }) => {
      order[count] = n;
      if (count === indexOf(cursors.length, events, clients) && cursors.length < clients) {
        cursors.push(cursor);
      }
      count += 1;
      if (count === events) resolve();
    },
  });
  await done;
  reading.close();
  await server.stop();
  const ownOf = Array.from({ length: clients }, (): number[] => []);
  for (const [at, n] of order.entries()) ownOf[n % clients]?.push(at);
  return cursors.map((cursor, index) => {
    const from = indexOf(index, events, clients) + 1;
    const expected = { count: 0, sum: 0 };
    const places = filters ? (ownOf[index] ?? []) : order.keys();
    for (const at of places) {
      if (at < from) continue;
      expected.count += 1;
      expected.sum += order[at] ?? 0;
    }
    return {
      index,
      cursor,
      expected,
      got: { count: 0, sum: 0 },
      liveAfterMs: undefined,
      lastLive: -1,
    };
  });
}

/** Of which event, in order, a client has the cursor. */
function indexOf(client: number, events: number, clients: number): number {
  return Math.floor((client * events) / clients);
}

async function produce(stage: Stage, over: AbortSignal, next: () => number): Promise<void> {
  while (!over.aborted) {
    await stage.log.append(
      Array.from({ length: liveEvents.perTurn }, () => ({
        n: next(),
        atMs: Date.now(),
        user: everybody,
      })),
    );
    await sleep(liveEvents.everyMs);
  }
}

async function gaveUp(missing: () => number): Promise<never> {
  await sleep(giveUpAfterMs, undefined, { ref: false });
  throw new Error(`${missing()} clients are not there after ${giveUpAfterMs} ms`);
}

function sumUpTo(end: number): number {
  return (end * (end - 1)) / 2;
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
