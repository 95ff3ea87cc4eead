import type { ServerResponse } from 'node:http';

/**
 * Cuts the connection of a response when its client has taken nothing for `maxStallMs` of what waits
 * for it. A response on which nothing waits may be silent for as long as it likes.
 */
export function cutWhenStalled(response: ServerResponse, maxStallMs: number): void {
  // Node's own idle timeout is the one that sees a large write being taken in parts.
  response.setTimeout(maxStallMs, () => {
    if (response.writableLength > 0 || (response.socket?.writableLength ?? 0) > 0) {
      response.destroy();
    }
  });
}
