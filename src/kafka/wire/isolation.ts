/** Up to the high watermark, or up to the last stable offset. */
export const isolation = { readUncommitted: 0, readCommitted: 1 } as const;
export type IsolationLevel = (typeof isolation)[keyof typeof isolation];
