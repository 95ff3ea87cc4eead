import { setTimeout as sleep } from 'node:timers/promises';

/** Nobody waits for so long but where something is wrong. */
const withinMs = 90_000;

/** For what a cluster does in its own time and tells nobody: asks again every 20 ms. @throws after 90 s. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('The cluster did not take the change over in 90 s.');
    await sleep(20);
  }
}
