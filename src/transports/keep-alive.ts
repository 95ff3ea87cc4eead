import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Clock, Timer } from '../core/clock.ts';

/** For how many intervals a peer may take nothing of what waits for it. */
export const stalledIntervals = 5;

interface Peer {
  readonly stream: Socket;
  /** What had been received when it was pinged last; undefined: it has not been. */
  heardBytes: number | undefined;
  /** While its silence is limited. */
  onTimeout: (() => void) | undefined;
}

/**
 * Finds peers that have gone without a word: every socket is pinged once in an interval, and one that
 * has sent nothing by the next is cut. So a dead peer is noticed within two intervals.
 *
 * A ping cannot overtake what waits in the socket, so a slow peer may be alive and yet silent: while
 * bytes wait, it is cut only when it has taken none of them for four to five intervals.
 */
export class KeepAlive {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #peers = new Map<WebSocket, Peer>();
  #timer: Timer | undefined;

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#arm();
  }

  /** @param stream what carries the WebSocket */
  watch(socket: WebSocket, stream: Socket): void {
    this.#peers.set(socket, { stream, heardBytes: undefined, onTimeout: undefined });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #arm(): void {
    this.#timer = this.#clock.schedule(this.#intervalMs, () => {
      for (const [socket, peer] of this.#peers) {
        if (socket.readyState === socket.CLOSED) {
          this.#peers.delete(socket);
          continue;
        }
        check(socket, peer);
        this.#limitSilence(socket, peer);
      }
      this.#arm();
    });
  }

  /**
   * Node's own idle timeout is the one that sees a large write being taken in parts. Only while something
   * waits: it costs something at each write.
   */
  #limitSilence(socket: WebSocket, peer: Peer): void {
    const { stream, onTimeout } = peer;
    if (socket.bufferedAmount === 0) {
      if (onTimeout !== undefined) stream.setTimeout(0, onTimeout);
      peer.onTimeout = undefined;
    } else if (onTimeout === undefined) {
      peer.onTimeout = (): void => {
        if (socket.bufferedAmount > 0) socket.terminate();
      };
      stream.setTimeout(this.#intervalMs * (stalledIntervals - 1), peer.onTimeout);
    }
  }
}

function check(socket: WebSocket, peer: Peer): void {
  const { bytesRead } = peer.stream;
  if (peer.heardBytes !== bytesRead) {
    peer.heardBytes = bytesRead;
    socket.ping();
  } else if (socket.bufferedAmount === 0) {
    socket.terminate();
  }
}
