import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('./vanish.ts', import.meta.url));

/** Two networks with a cable between them: for Linux, and for who may make them. */
const canMakeNetworks =
  spawnSync('unshare', [
    '-rn',
    'sh',
    '-c',
    'ip link add near type veth peer name far && nsenter -t $$ -n true',
  ]).status === 0;

for (const [what, everyMs] of [
  ['a quiet stream, with pings', 12_000],
  ['a stream with little traffic', 3_000],
] as const) {
  test(`a client that vanishes without a word is noticed within 25 s: ${what}`, {
    skip: canMakeNetworks ? false : 'no networks of our own can be made here',
    timeout: 300_000,
  }, async (t) => {
    const inside = `unshare -n sleep 290 & there=$!
      while [ "$(readlink /proc/$there/ns/net)" = "$(readlink /proc/$$/ns/net)" ]; do sleep 0.1; done
      "$0" "$1" $there ${everyMs}; kill $there`;
    const child: ChildProcess = spawn(
      'unshare',
      ['-rn', 'sh', '-c', inside, process.execPath, script],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    t.after(() => child.kill('SIGKILL'));
    assert.ok(child.stdout !== null);
    const { noticedAfterMs }: { noticedAfterMs: number | null } = JSON.parse(
      await text(child.stdout),
    );
    assert.ok(noticedAfterMs !== null, 'it was not noticed at all');
    t.diagnostic(`noticed after ${Math.round(noticedAfterMs)} ms`);
    assert.ok(noticedAfterMs < 25_000, `noticed after ${noticedAfterMs} ms`);
  });
}
