import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseTimestamp } from '../../src/decode/timestamp.ts';
import { sharedCluster, uniqueTopic } from '../support/kafka.ts';

const script = fileURLToPath(new URL('../../scripts/start.ts', import.meta.url));
const startTimeoutMs = 120_000;
const stopTimeoutMs = 60_000;

interface Demo {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  /** All that was printed before it was ready. */
  readonly printed: string;
}

/** `npm start` without npm, ready; none of the `MILLRACE_` variables around count. */
async function startDemo(t: TestContext, env: Readonly<Record<string, string>>): Promise<Demo> {
  const around = Object.entries(process.env).filter(([name]) => !name.startsWith('MILLRACE_'));
  const child = spawn(process.execPath, [script], {
    env: {
      ...Object.fromEntries(around),
      MILLRACE_LISTEN_PORT: '0',
      MILLRACE_DEMO_RATE: '10',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  let printed = '';
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  const late = setTimeout(() => child.kill('SIGKILL'), startTimeoutMs);
  for await (const text of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    printed += String(text);
    if (/Ctrl-C stops .*\./.test(printed)) break;
  }
  clearTimeout(late);
  child.stdout.resume();
  assert.ok(printed.includes('Ctrl-C'), `it did not start: ${printed}${complaints}`);
  return { child, printed };
}

/** The request that the printed command makes. */
function requestOf(printed: string): { readonly url: string; readonly init: RequestInit } {
  const [command] = /curl (?:.*\\\n)*.*/.exec(printed) ?? [];
  assert.ok(command !== undefined, printed);
  const words = (command.replaceAll('\\\n', ' ').match(/'[^']*'|\S+/g) ?? []).map((word) =>
    word.replaceAll("'", ''),
  );
  const after = (flag: string) =>
    words.flatMap((word, index) => (word === flag ? [words[index + 1] ?? ''] : []));
  const [credentials = ''] = after('-u');
  const [body = ''] = after('-d');
  const headers = new Headers({
    authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
  });
  for (const header of after('-H')) {
    const [name = '', value = ''] = header.split(': ');
    headers.set(name, value);
  }
  const url = words.find((word) => word.startsWith('http')) ?? '';
  return { url, init: { method: 'POST', headers, body } };
}

interface PrintedEvent {
  readonly id: string;
  readonly timestamp: string;
  readonly late: boolean;
  readonly payload: { readonly keen: { readonly id: string } };
}

/** The first events of a subscription over SSE. */
async function firstEvents(request: ReturnType<typeof requestOf>, count: number) {
  const leaving = new AbortController();
  const response = await fetch(request.url, { ...request.init, signal: leaving.signal });
  assert.equal(response.status, 200);
  assert.ok(response.body !== null);
  const events: PrintedEvent[] = [];
  let text = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('data: {')) continue;
      events.push(JSON.parse(line.slice('data: '.length)).data.events);
    }
    if (events.length >= count) break;
  }
  leaving.abort();
  return events;
}

async function assertDeliversInOrder(printed: string): Promise<void> {
  const events = await firstEvents(requestOf(printed), 30);
  assert.equal(new Set(events.map(({ id }) => id)).size, events.length);
  let lastUs = 0;
  for (const { id, timestamp, late, payload } of events) {
    assert.equal(payload.keen.id, id);
    if (late) continue;
    const us = parseTimestamp(timestamp) ?? 0;
    assert.ok(us >= lastUs, `${timestamp} came too late`);
    lastUs = us;
  }
}

/** Every refused key is refused, for the reason that is printed beside it. */
async function assertRefusals(printed: string): Promise<void> {
  const { url, init } = requestOf(printed);
  const refused = [...printed.matchAll(/(\w+)-(write|access)-(\w+) +refused: (.*)/g)];
  assert.equal(refused.length, 4);
  for (const [, project = '', name = '', rest = '', reason = ''] of refused) {
    const headers = new Headers(init.headers);
    const basic = Buffer.from(`${project}:${project}-${name}-${rest}`).toString('base64');
    headers.set('authorization', `Basic ${basic}`);
    const response = await fetch(url, { ...init, headers });
    assert.equal(response.status, 403);
    assert.ok((await response.text()).includes(reason));
  }
}

async function assertStops({ child }: Demo, signal: NodeJS.Signals): Promise<void> {
  const ended = once(child, 'exit', { signal: AbortSignal.timeout(stopTimeoutMs) });
  // As with npm: once from the terminal, once from npm.
  child.kill(signal);
  child.kill(signal);
  assert.deepEqual(await ended, [0, null]);
}

test('where there is no Java and no Docker, npm start runs on the embedded log', async (t) => {
  const nowhere = mkdtempSync(join(tmpdir(), 'millrace-path-'));
  t.after(() => rmSync(nowhere, { recursive: true }));
  const demo = await startDemo(t, { PATH: nowhere, JAVA_HOME: '' });
  assert.match(demo.printed, /^Using the embedded log, for Java is not installed.*\n/);
  await assertDeliversInOrder(demo.printed);
  await assertRefusals(demo.printed);
  await assertStops(demo, 'SIGINT');
});

test('npm start on a Kafka that is there', async (t) => {
  const kafka = await sharedCluster();
  const brokers = kafka.bootstrap('admin').join(',');
  const prefix = uniqueTopic('demo');
  const demo = await startDemo(t, {
    MILLRACE_KAFKA_BROKERS: brokers,
    MILLRACE_KAFKA_TOPIC_TEMPLATE: `{projectId}.${prefix}.{topic}`,
  });
  t.after(() =>
    kafka.administrate(async (admin) => {
      const topics = (await admin.listTopics()).filter((name) => name.includes(prefix));
      await admin.deleteTopics({ topics });
    }),
  );
  assert.ok(demo.printed.startsWith(`Using the Kafka at ${brokers}`));
  assert.ok(demo.printed.includes(`acme.${prefix}.purchases-dlq`), 'it tells what it creates');
  await assertDeliversInOrder(demo.printed);
  await assertStops(demo, 'SIGTERM');
});

test('a failure to start is a sentence', async (t) => {
  for (const [env, sentence] of [
    [{ MILLRACE_DEMO_RATE: 'fast' }, 'A rate of fast cannot be had: 1 is usual, 1000 the highest.'],
    [
      { MILLRACE_KAFKA_CLIENT: 'embedded', MILLRACE_LISTEN_PROT: '1' },
      'MILLRACE_LISTEN_PROT: is not the variable of any setting; the nearest is MILLRACE_LISTEN_PORT (environment)',
    ],
  ] as const) {
    const child = spawn(process.execPath, [script], { env: { ...process.env, ...env } });
    t.after(() => child.kill('SIGKILL'));
    let complaints = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints += text;
    });
    child.stdout.resume();
    assert.deepEqual(await once(child, 'close'), [1, null]);
    assert.equal(complaints, `${sentence}\n`);
  }
});
