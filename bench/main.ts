/**
 * `npm run bench [-- NAME ...]`: all benches but the long ones, or those whose name begins so, one after
 * the other, each in a process of its own. Prints what machine this is, then their lines of JSON. What the figures say: docs/performance.md.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpus, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';

const benches: Readonly<Record<string, readonly string[]>> = {
  decode: ['decode.ts'],
  sequence: ['sequence.ts'],
  cursor: ['cursor.ts'],
  outbox: ['outbox.ts'],
  'kafka-read kafkajs': ['kafka-read.ts', 'kafkajs'],
  'kafka-read platformatic': ['kafka-read.ts', 'platformatic'],
  'cold-start kafkajs': ['cold-start.ts', 'kafkajs'],
  'cold-start platformatic': ['cold-start.ts', 'platformatic'],
  pipeline: ['pipeline.ts', 'kafkajs'],
  resume: ['resume.ts', 'kafkajs'],
  fanout: ['fanout/main.ts', '--rounds=3', '--seconds=6', 'one-per-turn', 'ten-per-turn', 'memory'],
};

/** As `npm start` and `npm run millrace` have it: docs/performance.md. */
const youngHeap = '--max-semi-space-size=128';

/** An hour or more: only where they are named. */
const longBenches: Readonly<Record<string, readonly string[]>> = {
  'matrix of fanout': ['fanout/main.ts'],
};

const named = process.argv.slice(2);
const all = Object.entries({ ...benches, ...longBenches });
const chosen =
  named.length === 0
    ? Object.entries(benches)
    : all.filter(([name]) => named.some((start) => name.startsWith(start)));
if (chosen.length === 0) {
  console.error(`No such bench; there are: ${all.map(([name]) => name).join(', ')}`);
  process.exit(1);
}

const [cpu] = cpus();
console.log(
  JSON.stringify({
    machine: {
      cpu: cpu?.model,
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      system: `${process.platform} ${release()}`,
      node: process.version,
    },
  }),
);
for (const [name, [file = '', ...args]] of chosen) {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const bench = spawn(process.execPath, [youngHeap, path, ...args], { stdio: 'inherit' });
  const [code] = await once(bench, 'exit');
  if (code !== 0) {
    console.error(`${name} failed`);
    process.exitCode = 1;
  }
}
