import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('./small-heap.ts', import.meta.url));

for (const [what, where] of [
  ['groups', 'batches and intervals'],
  ['order', 'the order'],
] as const) {
  test(`in a small heap what waits in ${where} does not fill it: it is sent early`, {
    timeout: 60_000,
  }, async (t) => {
    const child = spawn(process.execPath, ['--max-old-space-size=128', script, what], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.after(() => child.kill('SIGKILL'));
    const [said, complaints, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'exit'),
    ]);
    assert.equal(code, 0, complaints.slice(-2_000));
    const [, early] = /^sent early: (\d+)$/m.exec(said) ?? [];
    assert.ok(Number(early) > 0, said);
  });
}
