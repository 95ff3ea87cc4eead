import type { Clock } from '../core/clock.ts';

/** Waits; ends early when nobody is interested any more. */
export async function pauseFor(clock: Clock, delayMs: number, over: AbortSignal): Promise<void> {
  if (delayMs <= 0 || over.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = clock.schedule(delayMs, resolve);
  const stop = (): void => {
    timer.cancel();
    resolve();
  };
  over.addEventListener('abort', stop, { once: true });
  await promise;
  over.removeEventListener('abort', stop);
}
