import type { Dice } from '../model/dice.ts';
import type { Ground } from './ground.ts';
import { type Visit, visits } from './visits.ts';

/** One visitor after the other at each of so many places, until the time is over and all have left. */
export async function churn(ground: Ground, atOnce: number, forMs: number): Promise<void> {
  const endsAt = performance.now() + forMs;
  const place = async (): Promise<void> => {
    while (performance.now() < endsAt) {
      const [name, visit] = draw(ground.dice);
      ground.tally.visited(name);
      await visit(ground);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, place));
}

function draw(dice: Dice): readonly [string, Visit] {
  const shares = visits.reduce((sum, [, share]) => sum + share, 0);
  let left = (dice.below(1_000_000) / 1_000_000) * shares;
  for (const [name, share, visit] of visits) {
    left -= share;
    if (left < 0) return [name, visit];
  }
  throw new Error('there are no visits');
}
