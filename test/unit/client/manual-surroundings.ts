import type { Surroundings } from '../../../src/client/surroundings.ts';
import type { ManualClock } from '../../support/manual-clock.ts';

/** What surrounds a client, on a clock that is moved by hand. @param random the same each time, or what is asked */
export function manualSurroundings(
  clock: ManualClock,
  random: number | Surroundings['random'],
  open: Surroundings['open'],
) {
  const watching = new Set<() => void>();
  const surroundings: Surroundings = {
    open,
    now: () => clock.now(),
    schedule(delayMs, fire) {
      const timer = clock.schedule(delayMs, fire);
      return () => timer.cancel();
    },
    random: typeof random === 'number' ? () => random : random,
    watchReturn(listener) {
      watching.add(listener);
      return () => watching.delete(listener);
    },
  };
  return { surroundings, watching };
}
