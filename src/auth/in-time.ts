import type { Clock } from '../core/clock.ts';
import { MillraceError } from '../core/errors.ts';

/**
 * What `authenticate` answers. Rejects with `LIMIT_EXCEEDED` when it takes longer than so many
 * milliseconds; it then goes on by itself.
 */
export async function inTime<Principal>(
  clock: Clock,
  withinMs: number,
  authenticate: () => Promise<Principal>,
): Promise<Principal> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = clock.schedule(withinMs, () => {
    const limit = 'limits.initTimeout';
    const message = `not authenticated within ${withinMs} ms (${limit}): try again later`;
    reject(new MillraceError('LIMIT_EXCEEDED', message, { limit }));
  });
  try {
    return await Promise.race([authenticate(), late]);
  } finally {
    timer.cancel();
  }
}
