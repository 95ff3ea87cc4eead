import type { ServerResponse } from 'node:http';
import { lastWordsMs } from './keep-alive.ts';

/**
 * Ends a response when its client has taken nothing for `maxStallMs` of what waits for it, and cuts its
 * connection if it does not take the end either. A response on which nothing waits may be silent for as long as
 * it likes.
 */
export function endWhenStalled(
  response: ServerResponse,
  maxStallMs: number,
  onStalled: () => void = () => undefined,
): void {
  let isTold = false;
  const tell = (): void => {
    if (!isTold) onStalled();
    isTold = true;
  };
  // Node's own idle timeout is the one that sees a large write being taken in parts.
  response.setTimeout(maxStallMs, () => {
    if (response.writableLength === 0 && (response.socket?.writableLength ?? 0) === 0) return;
    tell();
    if (response.writableEnded) {
      response.destroy();
    } else {
      response.end();
      response.setTimeout(lastWordsMs);
    }
  });
}
