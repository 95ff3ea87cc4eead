import type { Dice } from '../model/dice.ts';
import type { Ground } from './ground.ts';
import { type Visit, visits as kinds } from './visits.ts';

export interface ChurnOptions {
  /** Visitors at a time. */
  readonly atOnce: number;
  /** @default as many as there is time for */
  readonly visits?: number;
  readonly withinMs: number;
}

/** One visitor after the other at each of so many places. Resolves when all have left. */
export async function churn(ground: Ground, options: ChurnOptions): Promise<void> {
  const { atOnce, visits = Infinity, withinMs } = options;
  const endsAt = performance.now() + withinMs;
  let begun = 0;
  const place = async (): Promise<void> => {
    while (begun < visits && performance.now() < endsAt) {
      begun += 1;
      const [name, visit] = draw(ground.dice);
      ground.tally.visited(name);
      await visit(ground);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, place));
}

function draw(dice: Dice): readonly [string, Visit] {
  const shares = kinds.reduce((sum, [, share]) => sum + share, 0);
  let left = (dice.below(1_000_000) / 1_000_000) * shares;
  for (const [name, share, visit] of kinds) {
    left -= share;
    if (left < 0) return [name, visit];
  }
  throw new Error('there are no visits');
}
