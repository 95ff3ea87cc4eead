import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Supervisor, type WorkerEvents, type WorkerExit } from '../../../src/cli/supervisor.ts';
import { captureLog } from '../../support/captured-log.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const url = 'http://127.0.0.1:4000';
const killed: WorkerExit = { code: null, signal: 'SIGKILL', reason: null };
const inOrder: WorkerExit = { code: 0, signal: null, reason: null };

/** A worker as the supervisor sees it, in the hands of the test. */
interface PretendedWorker extends WorkerEvents {
  readonly number: number;
  readonly signals: NodeJS.Signals[];
}

function supervise(workers: number) {
  const clock = new ManualClock();
  const log = captureLog();
  /** All that were ever started. */
  const started: PretendedWorker[] = [];
  const supervisor = new Supervisor({
    workers,
    clock,
    logger: log.logger,
    random: () => 0.5,
    start(number, events) {
      const signals: NodeJS.Signals[] = [];
      started.push({ number, signals, ...events });
      return { pid: started.length, kill: (signal) => void signals.push(signal) };
    },
  });
  return { supervisor, clock, log, started };
}

/** All workers accept connections. */
async function supervising(workers: number) {
  const supervision = supervise(workers);
  for (const worker of supervision.started) worker.onReady(url);
  await supervision.supervisor.started;
  return supervision;
}

const numbers = (workers: readonly PretendedWorker[]) => workers.map(({ number }) => number);

function nth(workers: readonly PretendedWorker[], index: number): PretendedWorker {
  const worker = workers[index];
  assert.ok(worker, `worker ${index} was never started`);
  return worker;
}

test('it has started when all workers accept connections', async () => {
  const { supervisor, started } = supervise(3);
  assert.deepEqual(numbers(started), [1, 2, 3]);
  let isStarted = false;
  const waiting = supervisor.started.then((address) => {
    isStarted = true;
    return address;
  });
  nth(started, 0).onReady(url);
  nth(started, 2).onReady(url);
  await Promise.resolve();
  assert.equal(isStarted, false);
  nth(started, 1).onReady(url);
  assert.equal(await waiting, url);
});

test('one that cannot start is the end of the start, in its own words', async () => {
  const { supervisor, started, clock } = supervise(2);
  nth(started, 0).onReady(url);
  nth(started, 1).onExit({ code: 1, signal: null, reason: 'there is no room' });
  await assert.rejects(supervisor.started, /^Error: there is no room$/);
  supervisor.kill();
  assert.deepEqual(nth(started, 0).signals, ['SIGKILL']);
  assert.deepEqual(nth(started, 1).signals, []);
  assert.equal(clock.pending, 0);
});

test('one that ends without a word before it is ready is told by how it ended', async () => {
  for (const [exit, words] of [
    [killed, 'worker 1 was ended by SIGKILL before it was ready'],
    [{ code: 9, signal: null, reason: null }, 'worker 1 ended with code 9 before it was ready'],
    [
      { code: null, signal: null, reason: null },
      'worker 1 could not be started before it was ready',
    ],
  ] as const) {
    const { supervisor, started } = supervise(2);
    nth(started, 0).onExit(exit);
    await assert.rejects(supervisor.started, { message: words });
  }
});

test('a worker that ends is started again after a rest; the others stay', async () => {
  const { started, clock, log } = await supervising(2);
  nth(started, 1).onExit(killed);
  const line = await log.logged('a worker was ended by SIGKILL and will be started again');
  assert.deepEqual([line['worker'], line['pid'], line.level], [2, 2, 'error']);
  const restMs = Number(line['restMs']);
  await clock.advance(restMs - 1);
  assert.equal(started.length, 2);
  await clock.advance(1);
  assert.deepEqual(numbers(started), [1, 2, 2]);
  assert.deepEqual(nth(started, 0).signals, []);
});

/** The rests before a worker is started again, while it fails `times` times in a row. */
async function restsOf(
  { started, clock, log }: Awaited<ReturnType<typeof supervising>>,
  times: number,
  servedMs: number | null,
): Promise<number[]> {
  for (let time = 0; time < times; time++) {
    const worker = nth(started, started.length - 1);
    if (servedMs !== null) {
      worker.onReady(url);
      await clock.advance(servedMs);
    }
    const exits = log.lines.filter(({ level }) => level === 'error').length;
    worker.onExit({ code: 1, signal: null, reason: null });
    const line = log.lines.filter(({ level }) => level === 'error')[exits];
    await clock.advance(Number(line?.['restMs']));
  }
  return log.lines.flatMap(({ restMs }) => (restMs === undefined ? [] : [Number(restMs)]));
}

test('the rests grow with failures in a row, up to a bound', async () => {
  const rests = await restsOf(await supervising(1), 10, null);
  assert.deepEqual(rests, [
    375,
    750,
    1_500,
    3_000,
    6_000,
    ...Array.from({ length: 5 }, () => 11_250),
  ]);
});

test('one that serves but never for long is no better', async () => {
  assert.deepEqual(await restsOf(await supervising(1), 4, 29_000), [375, 750, 1_500, 3_000]);
});

test('one that served for long begins anew', async () => {
  assert.deepEqual(await restsOf(await supervising(1), 3, 30_000), [375, 375, 375]);
});

test('a reason that a restarted worker gives is logged', async () => {
  const { started, clock, log } = await supervising(1);
  nth(started, 0).onExit(killed);
  await clock.advance(1_000);
  nth(started, 1).onExit({ code: 1, signal: null, reason: 'kafka.brokers: is missing' });
  const line = await log.logged('ended with code 1');
  assert.equal(line['reason'], 'kafka.brokers: is missing');
});

test('stop passes the signal on, ends when all have, and starts none again', async () => {
  const { supervisor, started, clock } = await supervising(3);
  nth(started, 2).onExit(killed);
  let isStopped = false;
  const stopped = supervisor.stop('SIGINT').finally(() => {
    isStopped = true;
  });
  assert.deepEqual(
    started.map(({ signals }) => signals),
    [['SIGINT'], ['SIGINT'], []],
  );
  nth(started, 0).onExit(inOrder);
  await clock.advance(60_000);
  assert.equal(isStopped, false);
  nth(started, 1).onExit(inOrder);
  await stopped;
  assert.equal(started.length, 3);
  assert.equal(clock.pending, 0);
});

test('stop with all workers resting ends at once', async () => {
  const { supervisor, started } = await supervising(2);
  for (const worker of started) worker.onExit(killed);
  await supervisor.stop('SIGTERM');
});

test('a worker that was starting may end by the signal; one that fails to close is told', async () => {
  const early = supervise(2);
  const stopped = early.supervisor.stop('SIGTERM');
  for (const worker of early.started)
    worker.onExit({ code: null, signal: 'SIGTERM', reason: null });
  await stopped;

  const { supervisor, started } = await supervising(2);
  const failed = supervisor.stop('SIGTERM');
  nth(started, 0).onExit({ code: 1, signal: null, reason: null });
  nth(started, 1).onExit(inOrder);
  await assert.rejects(failed, { message: 'worker 1 ended with code 1' });
});

test('kill ends those that are closing as well', async () => {
  const { supervisor, started } = await supervising(1);
  void supervisor.stop('SIGTERM');
  supervisor.kill();
  assert.deepEqual(nth(started, 0).signals, ['SIGTERM', 'SIGKILL']);
});
