/**
 * `npm run test:runtimes`: the client of `millrace/client` in each runtime that docs/client.md names, over lost
 * connections. Deno and Bun are fetched from the package registry for it.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { openLine } from '../support/line.ts';
import { runEmbedded } from '../support/server.ts';
import { until } from '../support/until.ts';

const reader = fileURLToPath(new URL('reader.ts', import.meta.url));
const fetched = (what: string): string[] => ['exec', '--yes', `--package=${what}`, '--'];
const runtimes: Readonly<Record<string, readonly string[]>> = {
  Node: ['node', reader],
  Deno: ['npm', ...fetched('deno@2.9.6'), 'deno', 'run', '--allow-net', '--allow-env', reader],
  Bun: ['npm', ...fetched('bun@1.4.5'), 'bun', 'run', reader],
};
/** The first time a runtime must be fetched. */
const startsWithinMs = 120_000;
const events = 60;

for (const [name, [command = '', ...args]] of Object.entries(runtimes)) {
  test(`${name}: each event once and in order, over cuts`, async (t) => {
    const { server, kafka } = await runEmbedded(t, { topics: [] });
    kafka.createTopic('acme.purchases', 1);
    const line = await openLine(t, Number(new URL(server.url).port));
    const child = spawn(command, [...args, line.url, 'acme-read'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    t.after(() => {
      // With what `npm exec` has started.
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    });
    const ids: string[] = [];
    let isLive = false;
    createInterface({ input: child.stdout }).on('line', (text) => {
      if (text === 'live') isLive = true;
      else ids.push(text);
    });
    await until('the client to be live', () => isLive, startsWithinMs);
    for (let n = 0; n < events; n += 1) {
      const value = JSON.stringify({ keen: { id: `e${n}`, timestamp: new Date().toISOString() } });
      kafka.append('acme.purchases', { partition: 0, value });
      // It is away while some of them are recorded, and has some of them on the way.
      if (n % 20 === 5) line.cut();
      if (n % 20 === 10) line.mend();
      if (n % 20 === 15) await until(`event ${n}`, () => ids.includes(`e${n}`));
    }
    await until('the last event', () => ids.includes(`e${events - 1}`));
    assert.deepEqual(
      ids,
      Array.from({ length: events }, (_, n) => `e${n}`),
    );
  });
}
