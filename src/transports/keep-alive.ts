import type { WebSocket } from 'ws';
import type { Clock, Timer } from '../core/clock.ts';

/**
 * Finds peers that have gone without a word: every socket is pinged once in an interval, and one that
 * has not answered by the next is cut. So a dead peer is noticed within two intervals.
 */
export class KeepAlive {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #answered = new Map<WebSocket, boolean>();
  #timer: Timer | undefined;

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#arm();
  }

  watch(socket: WebSocket): void {
    this.#answered.set(socket, true);
    socket.on('pong', () => this.#answered.set(socket, true));
    socket.on('close', () => this.#answered.delete(socket));
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #arm(): void {
    this.#timer = this.#clock.schedule(this.#intervalMs, () => {
      for (const [socket, answered] of this.#answered) {
        if (answered) {
          this.#answered.set(socket, false);
          socket.ping();
        } else {
          socket.terminate();
        }
      }
      this.#arm();
    });
  }
}
