import { setTimeout as sleep } from 'node:timers/promises';

/** For what a cluster does in its own time and tells nobody: asks again every 20 ms. @throws after 30 s. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('The cluster did not take the change over in 30 s.');
    await sleep(20);
  }
}
