import { setTimeout as sleep } from 'node:timers/promises';

/**
 * For what happens in its own time and tells nobody: looks again every 5 ms.
 *
 * @param what is waited for, for the error
 * @throws when it has not happened within `withinMs`. @default 90_000
 */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 90_000,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`waited ${withinMs} ms in vain for ${what}`);
    await sleep(5);
  }
}
