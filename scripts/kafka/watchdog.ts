/**
 * Outlives its parent by one moment: when the pipe from it ends, for whatever reason (SIGKILL
 * included), what the parent left is taken away. One line for each fact: `run <pid>`, `ended <pid>`,
 * `remove <folder>`.
 */
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

const running = new Set<number>();
const folders = new Set<string>();

for await (const line of createInterface({ input: process.stdin })) {
  const [verb, ...rest] = line.split(' ');
  const value = rest.join(' ');
  if (verb === 'run') running.add(Number(value));
  else if (verb === 'ended') running.delete(Number(value));
  else if (verb === 'remove') folders.add(value);
}
for (const pid of running) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    console.error(error);
  }
}
for (const folder of folders) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
}
