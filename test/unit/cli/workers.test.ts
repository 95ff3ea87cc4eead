import assert from 'node:assert/strict';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { configFile } from '../../support/config-file.ts';
import { digestOf } from '../../support/server.ts';
import { metricsOf } from '../../support/metrics.ts';
import { exitOf, startMillrace } from '../../support/millrace.ts';
import { makeToken } from '../../support/tokens.ts';
import { until } from '../../support/until.ts';

const timeout = 120_000;
const sockets = 30;

function settings(key: string): string {
  return `
workers: 2
listen: { port: 0 }
kafka: { client: embedded, credentials: service }
auth: { projects: [{ id: p, keys: [{ kind: read, sha256: ${digestOf(key)} }] }] }
`;
}

interface Line {
  readonly msg: string;
  readonly worker?: number;
  readonly pid?: number;
}

/** What it logs, as it comes. */
function logOf({ stderr }: ChildProcessWithoutNullStreams) {
  const lines: Line[] = [];
  createInterface(stderr).on('line', (line) => lines.push(JSON.parse(line)));
  return {
    lines,
    /** Resolves to the lines with this in their message when there are `count`. */
    async logged(message: string, count: number): Promise<Line[]> {
      const found = (): Line[] => lines.filter(({ msg }) => msg.includes(message));
      await until(`${count} lines with ${message}`, () => found().length >= count);
      return found();
    },
  };
}

async function firstLine({ stdout }: ChildProcessWithoutNullStreams): Promise<string> {
  for await (const line of createInterface(stdout)) return line;
  return assert.fail('it ended without a line');
}

async function startTwo(t: TestContext) {
  const file = configFile(t, settings('k'));
  const child = startMillrace(t, ['serve', '--config', file]);
  const log = logOf(child);
  const line = await firstLine(child);
  const [address] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? assert.fail(line);
  const pids = (await log.logged('a worker accepts connections', 2)).map(({ pid = 0 }) => pid);
  // They go by themselves when the supervisor has gone; but a failed test must not wait for it.
  t.after(() => pids.forEach(killIfThere));
  return { file, child, log, address, pids };
}

function killIfThere(pid: number): void {
  if (isThere(pid)) process.kill(pid, 'SIGKILL');
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    assert.ok(error instanceof Error && 'code' in error && error.code === 'ESRCH');
    return false;
  }
}

function statusFor(address: string, key: string): Promise<number> {
  return statusWith(address, `Basic ${Buffer.from(`p:${key}`).toString('base64')}`);
}

async function statusWith(address: string, authorization: string): Promise<number> {
  const response = await fetch(`${address}/graphql`, {
    method: 'POST',
    headers: {
      authorization,
      'content-type': 'application/json',
      // The next one is to be dealt out afresh.
      connection: 'close',
    },
    body: JSON.stringify({ query: '{ project { id } }' }),
  });
  await response.arrayBuffer();
  return response.status;
}

/** A WebSocket that was let in. */
async function openSocket(t: TestContext, address: string): Promise<WebSocket> {
  const url = `${address.replace('http', 'ws')}/graphql`;
  const socket = new WebSocket(url, 'graphql-transport-ws');
  t.after(() => socket.terminate());
  await once(socket, 'open');
  const acknowledged = once(socket, 'message');
  socket.send('{"type":"connection_init","payload":{"projectId":"p","key":"k"}}');
  await acknowledged;
  return socket;
}

async function answers(socket: WebSocket): Promise<boolean> {
  const answer = once(socket, 'message');
  socket.send('{"type":"ping"}');
  const [data] = await answer;
  return String(data) === '{"type":"pong"}';
}

test('two workers share the port; when one is killed the other serves on, and it returns', {
  timeout,
}, async (t) => {
  const { log, address, pids } = await startTwo(t);
  assert.equal(new Set(pids).size, 2);
  const all = await Promise.all(Array.from({ length: sockets }, () => openSocket(t, address)));
  const lost = new Set<WebSocket>();
  for (const socket of all) socket.on('close', () => lost.add(socket));
  // Whichever is asked tells of both.
  const series = await metricsOf(address);
  const connections = [1, 2].map(
    (worker) => series.get(`millrace_connections{transport="graphql-ws",worker="${worker}"}`) ?? 0,
  );
  assert.equal(
    connections.reduce((sum, count) => sum + count, 0),
    sockets,
  );
  assert.ok(connections.every((count) => count > 0));

  const [victim = 0, survivor] = pids;
  process.kill(victim, 'SIGKILL');
  await log.logged('a worker was ended by SIGKILL and will be started again', 1);
  assert.equal(await statusFor(address, 'k'), 200);
  const [, , third] = await log.logged('a worker accepts connections', 3);
  assert.ok(third?.pid !== undefined && third.pid !== victim && third.pid !== survivor);
  t.after(() => killIfThere(third.pid ?? 0));

  // Those that were closed were the first worker's, and the others the second's: both had some.
  const kept = all.filter((socket) => !lost.has(socket));
  assert.ok(lost.size > 0 && kept.length > 0, `${lost.size} lost, ${kept.length} kept`);
  for (const socket of kept) assert.ok(await answers(socket));
  for (let time = 0; time < sockets; time++) assert.equal(await statusFor(address, 'k'), 200);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} ends the workers in order, and then the supervisor`, { timeout }, async (t) => {
    const { child, address, pids } = await startTwo(t);
    const all = await Promise.all(Array.from({ length: sockets }, () => openSocket(t, address)));
    const closed = all.map((socket) => once(socket, 'close'));
    const ended = exitOf(child);
    child.kill(signal);
    child.kill(signal);
    for (const [code] of await Promise.all(closed)) assert.equal(code, 1012);
    assert.equal(await ended, 0);
    assert.deepEqual(pids.filter(isThere), []);
  });
}

test('the workers close in order when the supervisor has been killed', { timeout }, async (t) => {
  const { child, address, pids } = await startTwo(t);
  const all = await Promise.all(Array.from({ length: sockets }, () => openSocket(t, address)));
  const closed = all.map((socket) => once(socket, 'close'));
  child.kill('SIGKILL');
  for (const [code] of await Promise.all(closed)) assert.equal(code, 1012);
  await until('the workers to be gone', () => !pids.some(isThere));
});

test('each worker applies changed keys', { timeout }, async (t) => {
  const { file, log, address } = await startTwo(t);
  writeFileSync(file, settings('new'));
  const applied = await log.logged('projects and keys applied', 2);
  assert.deepEqual(new Set(applied.map(({ worker }) => worker)), new Set([1, 2]));
  for (let time = 0; time < sockets; time++) {
    assert.equal(await statusFor(address, 'new'), 200);
    assert.equal(await statusFor(address, 'k'), 401);
  }
});

test('a token is good at each worker, without any secret being configured', {
  timeout,
}, async (t) => {
  const { address } = await startTwo(t);
  const { token } = await makeToken(address, { projectId: 'p', key: 'k' });
  for (let time = 0; time < sockets; time++) {
    assert.equal(await statusWith(address, `Bearer ${token}`), 200);
  }
});

test('a port that is in use is refused in one line, even if its user would share it', {
  timeout,
}, async (t) => {
  const taken = createServer().listen({ port: 0, host: '127.0.0.1', reusePort: true });
  t.after(() => taken.close());
  await once(taken, 'listening');
  const address = taken.address();
  assert.ok(typeof address === 'object' && address !== null);
  const child = startMillrace(t, ['serve', '--config', configFile(t, settings('k'))], {
    env: { MILLRACE_LISTEN_PORT: String(address.port), MILLRACE_LOG_LEVEL: 'error' },
  });
  const [code, stderr] = await Promise.all([exitOf(child), text(child.stderr)]);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^millrace cannot start: .*EADDRINUSE.*; set listen\.port \(MILLRACE_LISTEN_PORT\) to .*\n$/,
  );
});

test('an address that cannot be had is refused in one line', { timeout }, async (t) => {
  const child = startMillrace(t, ['serve', '--config', configFile(t, settings('k'))], {
    // Passes for a host name until it is asked for.
    env: { MILLRACE_LISTEN_HOST: 'no-such-host.invalid', MILLRACE_LOG_LEVEL: 'error' },
  });
  const [code, stderr] = await Promise.all([exitOf(child), text(child.stderr)]);
  assert.equal(code, 1);
  assert.match(stderr, /^millrace cannot start: getaddrinfo [^\n]*\n$/);
});
