import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Clock, Timer } from '../core/clock.ts';
import { Stall } from './stall.ts';

export interface KeepAliveOptions {
  readonly clock: Clock;
  /** How often sockets are pinged, in milliseconds. */
  readonly intervalMs: number;
  /** For how long a peer may take nothing of what waits for it, in milliseconds. */
  readonly stallTimeoutMs: number;
  /** Told of each peer that has taken nothing for so long. @default nobody */
  readonly onStalled?: () => void;
}

/** So much may be on the way to a peer that it does not come to a ping behind it within an interval. */
const longWayBytes = 1_048_576;
/** What a socket is closed with whose peer takes nothing: it may try again later. */
const tryAgainLater = 1013;
/** How long a peer has to take the rest, and the close, in milliseconds. Most never will. */
export const lastWordsMs = 2_000;

interface Peer {
  readonly stream: Socket;
  /** What had been received when it was pinged last; undefined: it has not been. */
  heardBytes: number | undefined;
  /** When that was, and what had been sent then. */
  heardAtMs: number;
  sentBytes: number;
  /** While something waits for it. */
  stall: Stall | undefined;
}

/**
 * Finds peers that have gone without a word: every socket is pinged once in an interval, and one that
 * has sent nothing by the next is cut. So a dead peer is noticed within two intervals.
 *
 * A ping cannot overtake what waits in the socket, so a slow peer may be alive and yet silent: while
 * bytes wait, it is closed only when it has taken none of them for the stall timeout (and at most a quarter of
 * that, or one interval, more), whatever it sends. What the system has taken off the socket is not seen there any more: a peer to which
 * much was sent since it was heard last has the stall timeout to come to the ping.
 */
export class KeepAlive {
  readonly #options: KeepAliveOptions;
  readonly #peers = new Map<WebSocket, Peer>();
  #pingTimer: Timer | undefined;
  #stallTimer: Timer | undefined;

  constructor(options: KeepAliveOptions) {
    this.#options = options;
    this.#armPings();
    this.#armStalls();
  }

  /**
   * Until `forget`.
   *
   * @param stream what carries the WebSocket
   */
  watch(socket: WebSocket, stream: Socket): void {
    this.#peers.set(socket, {
      stream,
      heardBytes: undefined,
      heardAtMs: 0,
      sentBytes: 0,
      stall: undefined,
    });
  }

  /** It has closed. To be told at once: by the next ping there may be thousands that came and went. */
  forget(socket: WebSocket): void {
    this.#peers.delete(socket);
  }

  /** How many sockets it watches. */
  get size(): number {
    return this.#peers.size;
  }

  stop(): void {
    this.#pingTimer?.cancel();
    this.#stallTimer?.cancel();
  }

  #armPings(): void {
    const { clock, intervalMs } = this.#options;
    this.#pingTimer = clock.schedule(intervalMs, () => {
      for (const [socket, peer] of this.#peers) this.#check(socket, peer);
      this.#armPings();
    });
  }

  #check(socket: WebSocket, peer: Peer): void {
    const { bytesRead, bytesWritten } = peer.stream;
    const nowMs = this.#options.clock.now();
    if (peer.heardBytes !== bytesRead) {
      peer.heardBytes = bytesRead;
      peer.heardAtMs = nowMs;
      peer.sentBytes = bytesWritten;
      socket.ping();
      return;
    }
    if (socket.bufferedAmount > 0) return;
    const isFar = bytesWritten - peer.sentBytes > longWayBytes;
    if (isFar && nowMs - peer.heardAtMs < this.#options.stallTimeoutMs) return;
    socket.terminate();
  }

  #armStalls(): void {
    const { clock, intervalMs, stallTimeoutMs } = this.#options;
    // Twice in the time by which it may be late: it is seen that something waits, and later that nothing was taken.
    this.#stallTimer = clock.schedule(Math.min(intervalMs / 2, stallTimeoutMs / 8), () => {
      const nowMs = clock.now();
      for (const [socket, peer] of this.#peers) this.#limitStall(socket, peer, nowMs);
      this.#armStalls();
    });
  }

  #limitStall(socket: WebSocket, peer: Peer, nowMs: number): void {
    if (socket.bufferedAmount === 0) {
      peer.stall = undefined;
      return;
    }
    peer.stall ??= new Stall(peer.stream, nowMs);
    if (peer.stall.lastsMs(peer.stream, nowMs) >= this.#options.stallTimeoutMs) this.#close(socket);
  }

  #close(socket: WebSocket): void {
    if (socket.readyState !== socket.OPEN) return;
    const { clock, stallTimeoutMs, onStalled } = this.#options;
    onStalled?.();
    socket.close(tryAgainLater, `nothing was taken for ${stallTimeoutMs} ms (limits.stallTimeout)`);
    // The close waits behind all that is not taken.
    clock.schedule(lastWordsMs, () => socket.terminate());
  }
}
