import type { FeedState } from 'millrace/client';

/** How it stands with all feeds together. */
export type Connection =
  /** Some are not connected, and none is closed. Those that are go on. */
  | { readonly name: 'lost'; readonly feeds: number; readonly lost: number; readonly why: string }
  /** One has ended for good. */
  | { readonly name: 'closed'; readonly code: string }
  | { readonly name: 'connecting' | 'catching-up' | 'live' };

export function connectionOf(states: readonly FeedState[]): Connection {
  const closed = states.find((state) => state.name === 'closed');
  if (closed !== undefined) return { name: 'closed', code: closed.code };
  const lost = states.filter(isLost);
  if (lost.length > 0) {
    const waiting = lost.find((state) => state.name === 'waiting');
    const why = waiting?.reason.message ?? '';
    return { name: 'lost', feeds: states.length, lost: lost.length, why };
  }
  const worst = (['connecting', 'catching-up'] as const).find((one) =>
    states.some(({ name }) => name === one),
  );
  return { name: worst ?? 'live' };
}

/** It was connected or tried to be, and tries again; not the first attempt. */
function isLost(state: FeedState): boolean {
  return state.name === 'waiting' || (state.name === 'connecting' && state.attempt > 1);
}
