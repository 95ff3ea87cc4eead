import { setTimeout as sleep } from 'node:timers/promises';
import { FeedClient } from './client.ts';
import type { BenchEvent } from './log.ts';
import { appendAll, type Stage } from './stage.ts';

/** Before anything is measured: code is compiled, the memory of what was delivered is full. */
const warmUpEvents = 100_000;
const sampledEveryMs = 100;
const settleMs = 3_000;

/** What a client got, event by event. */
class Received {
  readonly #numbers: Int32Array;
  count = 0;
  late = 0;
  #awaited: { readonly count: number; readonly reached: () => void } | undefined;

  constructor(most: number) {
    this.#numbers = new Int32Array(most);
  }

  take(n: number, isLate: boolean): void {
    this.#numbers[this.count++] = n;
    if (isLate) this.late += 1;
    if (this.count === this.#awaited?.count) this.#awaited.reached();
  }

  async atLeast(count: number): Promise<void> {
    if (this.count >= count) return;
    await new Promise<void>((reached) => {
      this.#awaited = { count, reached };
    });
  }

  equals(other: Received): boolean {
    const [mine, others] = [this.#numbers, other.#numbers];
    return this.count === other.count && mine.every((n, index) => n === others[index]);
  }
}

/** A client takes nothing while `events` are delivered to a fast one, then catches up. */
export async function runBehind(stage: Stage, events: number): Promise<object> {
  const server = await stage.startServer({ MILLRACE_LIMITS_STALL_TIMEOUT: '1h' });
  const all = warmUpEvents + events;
  const [fast, slow] = [new Received(all + 1), new Received(all + 1)];
  const open = (received: Received): Promise<FeedClient> =>
    FeedClient.open({
      port: server.port,
      over: 'sse',
      query: '',
      onEvent: ({ n, isLate }) => received.take(n, isLate),
    });
  const clients = [await open(fast), await open(slow)];
  const [, slowClient] = clients;
  try {
    await appendAll(stage.log, warmUpEvents, eventNow);
    await Promise.all([fast.atLeast(warmUpEvents), slow.atLeast(warmUpEvents)]);
    await sleep(settleMs);
    const before = await server.remote.call('memory');
    await server.remote.call('readers');

    slowClient?.stall();
    await appendAll(stage.log, events, (index) => eventNow(warmUpEvents + index));
    await fast.atLeast(all);
    await sleep(settleMs);
    const behind = await server.remote.call('memory');
    const behindBy = all - slow.count;

    let mostResident = 0;
    const sampling = setInterval(() => {
      mostResident = Math.max(mostResident, server.residentMiB());
    }, sampledEveryMs);
    const began = performance.now();
    slowClient?.goOn();
    await slow.atLeast(all);
    const seconds = (performance.now() - began) / 1_000;
    clearInterval(sampling);
    const { most } = await server.remote.call('readers');
    await sleep(settleMs);
    const after = await server.remote.call('memory');
    return {
      events: behindBy,
      catchesUpInS: round1(seconds),
      identical: slow.equals(fast),
      late: slow.late,
      // The live feed of the topic is one of them.
      mostReaders: most - 1,
      memoryMiB: {
        before,
        behind,
        after,
        mostResidentMeanwhile: round1(mostResident),
        grownBy: round1(after.used - before.used),
      },
    };
  } finally {
    for (const client of clients) client.close();
    await server.stop();
  }
}

function eventNow(n: number): BenchEvent {
  return { n, atMs: Date.now(), user: 'u' };
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
