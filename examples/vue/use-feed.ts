import type { Feed, FeedState } from 'millrace/client';
import { onScopeDispose, type ShallowRef, shallowRef } from 'vue';

export interface FeedView<Item> {
  /** The newest first. */
  readonly items: Readonly<ShallowRef<readonly Item[]>>;
  readonly state: Readonly<ShallowRef<FeedState>>;
}

/**
 * The newest items of a feed, and what the feed is doing. The feed is closed with the scope in which this is
 * called: as a rule that of a component.
 *
 * @param keep how many items. @default 50
 */
export function useFeed<Item extends { readonly cursor: string }>(
  feed: Feed<Item>,
  keep = 50,
): FeedView<Item> {
  const items = shallowRef<readonly Item[]>([]);
  const state = shallowRef<FeedState>(feed.state);
  const stop = feed.subscribe({
    // Vue renders once for all that comes before the next tick.
    next(item) {
      items.value = [item, ...items.value].slice(0, keep);
    },
    state(next) {
      state.value = next;
    },
    // It is in the state as well.
    error: () => undefined,
  });
  onScopeDispose(stop);
  return { items, state };
}
