import { useEffect, useState } from 'react';
import type { Feed, FeedState } from 'millrace/client';

export interface FeedView<Item> {
  /** The newest first. */
  readonly items: readonly Item[];
  readonly state: FeedState;
}

/**
 * The newest items of a feed, and what the feed is doing. However many come, the component is rendered at most
 * once for each frame.
 *
 * @param open opens the feed; it is closed, and another one opened, whenever this is another function
 * @param keep how many items. @default 50
 */
export function useFeed<Item extends { readonly cursor: string }>(
  open: () => Feed<Item>,
  keep = 50,
): FeedView<Item> {
  const [view, setView] = useState<FeedView<Item>>(beginning);
  useEffect(() => {
    const feed = open();
    let items: readonly Item[] = [];
    let frame = 0;
    const show = (): void => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        setView({ items, state: feed.state });
      });
    };
    const stop = feed.subscribe({
      next(item) {
        items = [item, ...items].slice(0, keep);
        show();
      },
      state: show,
      // It is in the state as well.
      error: show,
    });
    return () => {
      stop();
      cancelAnimationFrame(frame);
    };
  }, [open, keep]);
  return view;
}

const beginning: FeedView<never> = { items: [], state: { name: 'connecting', attempt: 1 } };
