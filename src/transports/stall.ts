import type { Duplex } from 'node:stream';
import { isObject } from '../core/json.ts';

type Fields = Readonly<Record<string, unknown>>;

/**
 * For how long the peer of a socket has taken nothing of what waits for it.
 *
 * Not by Node's own idle timeout: that begins again with whatever the peer sends, and a peer may send much and take nothing.
 */
export class Stall {
  #taken: number;
  #sinceMs: number;

  /** Something begins to wait. */
  constructor(stream: Duplex, nowMs: number) {
    this.#taken = takenBytes(stream);
    this.#sinceMs = nowMs;
  }

  /** Milliseconds since something was seen to be taken. */
  lastsMs(stream: Duplex, nowMs: number): number {
    const taken = takenBytes(stream);
    if (taken !== this.#taken) {
      this.#taken = taken;
      this.#sinceMs = nowMs;
    }
    return nowMs - this.#sinceMs;
  }
}

/**
 * A number that changes with each part that the system takes of what is written.
 *
 * Streams tell of whole writes only, and one may be of megabytes: how far it has come says what carries the socket, which
 * Node's own idle timeout asks as well. Without that a slow peer has less time, and none that stalls is missed.
 */
function takenBytes(stream: Duplex): number {
  const socket: unknown = Reflect.get(stream, '_handle');
  const handle = isObject(socket) ? carrierOf(socket) : {};
  const { bytesWritten, writeQueueSize } = handle;
  if (typeof bytesWritten === 'number' && typeof writeQueueSize === 'number') {
    return bytesWritten - writeQueueSize;
  }
  const written: unknown = Reflect.get(stream, 'bytesWritten');
  return (typeof written === 'number' ? written : 0) - stream.writableLength;
}

/** With TLS, what carries that: a write is encrypted, and handed on, as a whole. */
function carrierOf(handle: Fields): Fields {
  const { _parent: parent } = handle;
  return isObject(parent) && 'writeQueueSize' in parent ? parent : handle;
}
