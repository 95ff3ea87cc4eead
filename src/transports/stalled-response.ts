import type { ServerResponse } from 'node:http';
import type { Clock } from '../core/clock.ts';
import { lastWordsMs } from './keep-alive.ts';
import { Stall } from './stall.ts';

export interface StalledResponsesOptions {
  readonly clock: Clock;
  /** For how long a client may take nothing of what waits for it, in milliseconds. */
  readonly maxStallMs: number;
  /** Told of each response that is ended for that. */
  readonly onStalled: () => void;
}

interface Watched {
  /** While something waits. */
  stall: Stall | undefined;
  isTold: boolean;
}

/** Most milliseconds between two looks. */
const lookMs = 6_000;

/**
 * Ends responses whose clients have taken nothing for `maxStallMs` (and at most a quarter of that, or 12 s, more) of what
 * waits for them, whatever they send, and cuts their connections if they do not take the end either. A response on which
 * nothing waits may be silent for as long as it likes.
 */
export class StalledResponses {
  readonly #options: StalledResponsesOptions;
  readonly #watched = new Map<ServerResponse, Watched>();
  #isLooking = false;

  constructor(options: StalledResponsesOptions) {
    this.#options = options;
  }

  /** Until it closes. */
  watch(response: ServerResponse): void {
    this.#watched.set(response, { stall: undefined, isTold: false });
    response.once('close', () => this.#watched.delete(response));
    this.#arm();
  }

  /** How many it watches. */
  get size(): number {
    return this.#watched.size;
  }

  #arm(): void {
    if (this.#isLooking || this.#watched.size === 0) return;
    this.#isLooking = true;
    const { clock, maxStallMs } = this.#options;
    clock.schedule(Math.min(lookMs, maxStallMs / 8), () => {
      const nowMs = clock.now();
      for (const [response, watched] of this.#watched) this.#look(response, watched, nowMs);
      this.#isLooking = false;
      this.#arm();
    });
  }

  #look(response: ServerResponse, watched: Watched, nowMs: number): void {
    const { socket } = response;
    // One that is behind another on its connection has none yet.
    if (socket === null) return;
    if (response.writableLength === 0 && socket.writableLength === 0) {
      watched.stall = undefined;
      return;
    }
    watched.stall ??= new Stall(socket, nowMs);
    const lastsMs = watched.stall.lastsMs(socket, nowMs);
    if (lastsMs < (watched.isTold ? lastWordsMs : this.#options.maxStallMs)) return;
    if (!watched.isTold) this.#options.onStalled();
    watched.isTold = true;
    if (response.writableEnded) {
      response.destroy();
    } else {
      watched.stall = undefined;
      response.end();
    }
  }
}
