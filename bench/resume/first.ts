import { setTimeout as sleep } from 'node:timers/promises';
import { median } from '../measure.ts';
import { FeedClient } from './client.ts';
import { appendAll, type Server, type Stage } from './stage.ts';

const rounds = 50;
const hourMs = 3_600_000;
const events = 360_000;

/**
 * How soon the first event comes after a client has begun to connect: of one that the server remembers, and of
 * one that it must read from the log. Somebody else is subscribed to the topic, as nearly always.
 */
export async function runFirst(stage: Stage): Promise<object[]> {
  const startMs = Date.now() - hourMs;
  await appendAll(stage.log, events, (n) => ({
    n,
    atMs: Math.floor(startMs + (n * (hourMs - 10_000)) / events),
    user: 'u',
  }));
  const server = await stage.startServer();
  const recent: string[] = [];
  const old: string[] = [];
  const readAll = Promise.withResolvers<void>();
  const past = await FeedClient.open({
    port: server.port,
    query: `since=${new Date(startMs - 1_000).toISOString()}`,
    onEvent: ({ n, cursor }) => {
      if (n % Math.floor(events / (rounds + 1)) === 0) old.push(cursor);
      if (n === events - 1) readAll.resolve();
    },
  });
  await readAll.promise;
  past.close();
  const live = await FeedClient.open({
    port: server.port,
    query: '',
    onEvent: ({ cursor }) => recent.push(cursor),
  });
  try {
    const remembered = 5_000;
    await appendAll(stage.log, remembered, (index) => ({
      n: events + index,
      atMs: Date.now(),
      user: 'u',
    }));
    while (recent.length < remembered) await sleep(50);
    await sleep(5_000);
    const fromMemory = evenly(recent.slice(0, -1), rounds);
    return [
      { from: 'memory', ...(await measure(server, fromMemory)) },
      { from: 'Kafka', ...(await measure(server, evenly(old, rounds))) },
    ];
  } finally {
    live.close();
    await server.stop();
  }
}

async function measure(server: Server, cursors: readonly string[]): Promise<object> {
  const takenMs: number[] = [];
  let mostReaders = 0;
  // One round more than counts: the first warms up the compiler.
  for (const [round, cursor] of [cursors[0] ?? '', ...cursors].entries()) {
    await server.remote.call('readers');
    const first = Promise.withResolvers<number>();
    const began = performance.now();
    const client = await FeedClient.open({
      port: server.port,
      query: `after=${cursor}`,
      onEvent: () => first.resolve(performance.now() - began),
    });
    const ms = await first.promise;
    client.close();
    if (round > 0) takenMs.push(ms);
    // Until the reader is gone, which the next is not to find.
    await sleep(100);
    for (;;) {
      const { now, most } = await server.remote.call('readers');
      mostReaders = Math.max(mostReaders, most - 1);
      if (now === 1) break;
      await sleep(20);
    }
  }
  return {
    rounds: takenMs.length,
    firstEventMs: { median: round1(median(takenMs)), most: round1(Math.max(...takenMs)) },
    // None from memory, one from Kafka.
    mostReaders,
  };
}

function evenly(cursors: readonly string[], count: number): string[] {
  return Array.from(
    { length: count },
    (_, index) => cursors[Math.floor((index * cursors.length) / count)] ?? '',
  );
}

function round1(value: number): number {
  return Math.round(value * 10) / 10;
}
