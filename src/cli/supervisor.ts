import type { Clock, Timer } from '../core/clock.ts';
import { backoffMs } from '../kafka/backoff.ts';
import type { Logger } from '../observe/logger.ts';

/** A process that serves. */
export interface WorkerProcess {
  readonly pid: number | null;
  /** Sends it a signal; nothing happens if it has ended. */
  kill(signal: NodeJS.Signals): void;
}

export interface WorkerEvents {
  /** It accepts connections at this address. */
  readonly onReady: (url: string) => void;
  /** It has ended: once, and nothing comes after it. */
  readonly onExit: (exit: WorkerExit) => void;
}

export interface WorkerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why it could not start, in its own words; `null`: it has not said so. */
  readonly reason: string | null;
}

export interface SupervisorOptions {
  readonly workers: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Starts a worker. @param number from 1 */
  readonly start: (number: number, events: WorkerEvents) => WorkerProcess;
  /** In [0, 1). @default Math.random */
  readonly random?: () => number;
}

/** How long a worker must have served, in milliseconds, for its end to be no failure in a row. */
const steadyMs = 30_000;

const restartBackoff = { firstMs: 500, mostMs: 15_000 };

type WorkerState =
  | { readonly kind: 'starting' | 'stopping'; readonly process: WorkerProcess }
  | { readonly kind: 'serving'; readonly process: WorkerProcess; readonly sinceMs: number }
  | { readonly kind: 'resting'; readonly timer: Timer }
  | { readonly kind: 'gone' };

/** One worker after the other with the same number. */
interface Place {
  readonly number: number;
  state: WorkerState;
  failures: number;
}

/**
 * Keeps a number of workers running. A worker that ends is started again, after a rest that grows with
 * failures in a row; but if one cannot start in the first place, none goes on.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #places: readonly Place[];
  readonly #started = Promise.withResolvers<string>();
  readonly #stopped = Promise.withResolvers<void>();
  #phase: 'starting' | 'running' | 'stopping' = 'starting';
  /** What the workers were told to end with; one that was just starting ends by it. */
  #stopSignal: NodeJS.Signals | null = null;
  #badEnd: Error | null = null;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#places = Array.from({ length: options.workers }, (_, index) => {
      const place: Place = { number: index + 1, state: { kind: 'gone' }, failures: 0 };
      return place;
    });
    for (const place of this.#places) this.#start(place);
  }

  /**
   * Resolves to the address when all workers accept connections. Rejects if one ends before that; the
   * others are to be killed then. Settles never if it was stopped first.
   */
  get started(): Promise<string> {
    return this.#started.promise;
  }

  /**
   * Passes the signal on. Resolves when all workers have ended, and rejects then if one did not end in
   * order.
   */
  stop(signal: NodeJS.Signals): Promise<void> {
    this.#phase = 'stopping';
    this.#stopSignal = signal;
    for (const place of this.#places) {
      const { state } = place;
      if (state.kind === 'resting') {
        state.timer.cancel();
        place.state = { kind: 'gone' };
      } else if (state.kind !== 'gone') {
        place.state = { kind: 'stopping', process: state.process };
        state.process.kill(signal);
      }
    }
    this.#settleWhenGone();
    return this.#stopped.promise;
  }

  /** Ends every worker at once. */
  kill(): void {
    for (const { state } of this.#places) if ('process' in state) state.process.kill('SIGKILL');
  }

  #start(place: Place): void {
    const process = this.#options.start(place.number, {
      onReady: (url) => this.#onReady(place, url),
      onExit: (exit) => this.#onExit(place, exit),
    });
    place.state = { kind: 'starting', process };
  }

  #onReady(place: Place, url: string): void {
    const { clock, logger } = this.#options;
    if (place.state.kind !== 'starting') return;
    const { process } = place.state;
    place.state = { kind: 'serving', process, sinceMs: clock.now() };
    logger.info({ worker: place.number, pid: process.pid }, 'a worker accepts connections');
    if (this.#phase !== 'starting') return;
    if (!this.#places.every(({ state }) => state.kind === 'serving')) return;
    this.#phase = 'running';
    this.#started.resolve(url);
  }

  #onExit(place: Place, exit: WorkerExit): void {
    const { state } = place;
    place.state = { kind: 'gone' };
    switch (this.#phase) {
      case 'starting':
        this.#started.reject(
          new Error(
            exit.reason ?? `worker ${place.number} ${howItEnded(exit)} before it was ready`,
          ),
        );
        return;
      case 'running':
        this.#restart(place, state, exit);
        return;
      case 'stopping':
        if (exit.code !== 0 && exit.signal !== this.#stopSignal) {
          this.#badEnd ??= new Error(`worker ${place.number} ${howItEnded(exit)}`);
        }
        this.#settleWhenGone();
    }
  }

  #restart(place: Place, former: WorkerState, exit: WorkerExit): void {
    const { clock, logger, random } = this.#options;
    const wasSteady = former.kind === 'serving' && clock.now() - former.sinceMs >= steadyMs;
    place.failures = wasSteady ? 1 : place.failures + 1;
    const restMs = Math.round(backoffMs(place.failures, restartBackoff, random));
    logger.error(
      {
        worker: place.number,
        pid: 'process' in former ? former.process.pid : null,
        ...(exit.reason === null ? {} : { reason: exit.reason }),
        restMs,
      },
      `a worker ${howItEnded(exit)} and will be started again`,
    );
    const timer = clock.schedule(restMs, () => this.#start(place));
    place.state = { kind: 'resting', timer };
  }

  #settleWhenGone(): void {
    if (!this.#places.every(({ state }) => state.kind === 'gone')) return;
    if (this.#badEnd === null) this.#stopped.resolve();
    else this.#stopped.reject(this.#badEnd);
  }
}

function howItEnded({ code, signal }: WorkerExit): string {
  if (signal !== null) return `was ended by ${signal}`;
  return code === null ? 'could not be started' : `ended with code ${code}`;
}
