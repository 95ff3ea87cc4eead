import type { Credentials } from './credentials.ts';

/**
 * Told that a feed has connected.
 *
 * @param server the origin
 * @param credentials what it was let in with
 */
export type Called = (server: string, credentials: Credentials) => void;

/** Those of the whole page that wait, whichever clients they are of. */
const waiting = new Set<Called>();

/** @returns ends it */
export function listen(called: Called): () => void {
  waiting.add(called);
  return () => waiting.delete(called);
}

/** Tells those who wait: whoever waits for the same server need not wait for long. */
export function call(...told: Parameters<Called>): void {
  for (const called of waiting) called(...told);
}
