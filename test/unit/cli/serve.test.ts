import assert from 'node:assert/strict';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { configFile } from '../../support/config-file.ts';
import { exitOf, startMillrace } from '../../support/millrace.ts';
import { ServerProcess } from '../../support/server-process.ts';

const timeout = 120_000;

function withKeys(...keys: readonly string[]): string {
  const list = keys.map((key) => {
    const sha256 = createHash('sha256').update(key).digest('hex');
    return `{ kind: read, sha256: ${sha256} }`;
  });
  return `
listen: { port: 0 }
kafka: { client: embedded, credentials: service }
auth: { projects: [{ id: p, keys: [${list.join(', ')}] }] }
`;
}

/** The first line on standard output, in which the address stands. */
async function addressOf(child: ChildProcessWithoutNullStreams): Promise<string> {
  for await (const line of createInterface(child.stdout)) {
    const address = /http:\/\/127\.0\.0\.1:\d+/.exec(line);
    assert.ok(address, `no address in: ${line}`);
    return address[0];
  }
  return assert.fail('it ended without telling its address');
}

async function statusFor(address: string, key: string): Promise<number> {
  const response = await fetch(`${address}/graphql`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`p:${key}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ query: '{ project { id } }' }),
  });
  await response.arrayBuffer();
  return response.status;
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`serve tells its address, answers, and ends in order at ${signal}`, {
    timeout,
  }, async (t) => {
    const child = startMillrace(t, ['serve', '--config', configFile(t, withKeys('k'))]);
    const ended = exitOf(child);
    const address = await addressOf(child);
    assert.equal(await statusFor(address, 'k'), 200);
    assert.equal(await statusFor(address, 'x'), 401);
    child.kill(signal);
    // As npm does, which passes on what the terminal has sent already.
    child.kill(signal);
    assert.equal(await ended, 0);
  });
}

test('a signal that comes while it starts is heeded', { timeout }, async (t) => {
  const telling = `
    import { Server } from 'node:net';
    process.on('newListener', (name) => { if (name === 'SIGTERM') console.log('heeds signals'); });
    const { listen } = Server.prototype;
    Server.prototype.listen = function (...args) {
      console.log('listens');
      return listen.apply(this, args);
    };`;
  const child = startMillrace(t, ['serve', '--config', configFile(t, withKeys('k'))], {
    env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(telling)}` },
  });
  const ended = exitOf(child);
  const [first] = await once(createInterface(child.stdout), 'line');
  assert.equal(first, 'heeds signals');
  child.kill('SIGTERM');
  assert.equal(await ended, 0);
});

test('a second signal, when patience is lost, ends it at once', { timeout }, async (t) => {
  const child = startMillrace(t, ['serve', '--config', configFile(t, withKeys('k'))], {
    env: { MILLRACE_SHUTDOWN_READY_DELAY: '10s' },
  });
  const ended = exitOf(child);
  const log = createInterface(child.stderr);
  await addressOf(child);
  child.kill('SIGTERM');
  for await (const line of log) {
    if (line.includes('"closing"')) break;
  }
  const impatient = setInterval(() => child.kill('SIGTERM'), 100);
  t.after(() => clearInterval(impatient));
  assert.equal(await ended, 1);
});

test('serve applies changed keys without a restart', { timeout }, async (t) => {
  const file = configFile(t, withKeys('old'));
  const child = startMillrace(t, ['serve', '--config', file]);
  const log = createInterface(child.stderr);
  const address = await addressOf(child);
  assert.equal(await statusFor(address, 'new'), 401);

  writeFileSync(file, withKeys('new'));
  for await (const line of log) {
    if (line.includes('projects and keys applied')) break;
  }
  assert.equal(await statusFor(address, 'new'), 200);
  assert.equal(await statusFor(address, 'old'), 401);
});

test('serve that cannot listen says so in one line', { timeout }, async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  t.after(() => taken.close());
  await once(taken, 'listening');
  const address = taken.address();
  assert.ok(typeof address === 'object' && address !== null);
  const child = startMillrace(t, ['serve', '--config', configFile(t, withKeys('k'))], {
    env: { MILLRACE_LISTEN_PORT: String(address.port), MILLRACE_LOG_LEVEL: 'error' },
  });
  const [code, stderr] = await Promise.all([exitOf(child), text(child.stderr)]);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^millrace cannot start: .*EADDRINUSE.*; set listen\.port \(MILLRACE_LISTEN_PORT\) to .*\n$/,
  );
});

test('a process that may open few files warns of it if more connections were asked for, not by itself', {
  timeout,
}, async (t) => {
  const warningsWith = async (more: Readonly<Record<string, string>>): Promise<string[]> => {
    const env = {
      MILLRACE_LISTEN_PORT: '0',
      MILLRACE_KAFKA_CLIENT: 'embedded',
      MILLRACE_KAFKA_CREDENTIALS: 'service',
      MILLRACE_AUTH_PROJECTS: '[]',
      ...more,
    };
    const server = new ServerProcess(env, { maxOpenFiles: 512 });
    t.after(() => server.kill());
    await server.start();
    await server.terminate();
    return server.warnings;
  };
  assert.deepEqual(await warningsWith({}), []);
  const [warning = '', ...others] = await warningsWith({ MILLRACE_LIMITS_CONNECTIONS: '5000' });
  assert.deepEqual(others, []);
  assert.match(warning, /"level":"warn".*"connections":348.*limits\.connections/);
});
