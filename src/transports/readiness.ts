import type { Clock } from '../core/clock.ts';

/** Whether the server can do its work at the moment; if not, why, without a credential or an address. */
export type Readiness =
  | { readonly status: 'ready' }
  | { readonly status: 'degraded'; readonly reason: string }
  /** It has been told to stop: no new clients are to be sent to it. */
  | { readonly status: 'draining' };

export interface ReadinessProbeOptions {
  readonly clock: Clock;
  /** Contacts the cluster. */
  readonly contact: () => Promise<void>;
  /** What a failed contact is told as. */
  readonly reasonOf: (error: unknown) => string;
  /** Milliseconds for which an answer stands. @default 5_000 */
  readonly intervalMs?: number;
  /** Milliseconds after which a contact that has not succeeded counts as failed. @default 2_000 */
  readonly timeoutMs?: number;
}

/**
 * Asks the cluster when it is asked itself, with one contact at a time and at most one in an interval,
 * so that probing costs the cluster the same however many probe.
 */
export class ReadinessProbe {
  readonly #options: ReadinessProbeOptions;
  #answer: Promise<Readiness> | undefined;
  #askedAtMs = 0;
  #contacting = false;

  constructor(options: ReadinessProbeOptions) {
    this.#options = options;
  }

  check(): Promise<Readiness> {
    const { clock, intervalMs = 5_000 } = this.#options;
    // The clock may have been set back: an answer must not stand for as long as that.
    const isCurrent = Math.abs(clock.now() - this.#askedAtMs) < intervalMs;
    if (this.#answer !== undefined && (this.#contacting || isCurrent)) return this.#answer;
    this.#askedAtMs = clock.now();
    this.#answer = this.#ask();
    return this.#answer;
  }

  async #ask(): Promise<Readiness> {
    const { clock, timeoutMs = 2_000 } = this.#options;
    const { promise: late, resolve } = Promise.withResolvers<Readiness>();
    const timer = clock.schedule(timeoutMs, () =>
      resolve({ status: 'degraded', reason: `Kafka has not answered within ${timeoutMs} ms` }),
    );
    try {
      return await Promise.race([this.#contact(), late]);
    } finally {
      timer.cancel();
    }
  }

  async #contact(): Promise<Readiness> {
    this.#contacting = true;
    try {
      await this.#options.contact();
      return { status: 'ready' };
    } catch (error) {
      return { status: 'degraded', reason: this.#options.reasonOf(error) };
    } finally {
      this.#contacting = false;
    }
  }
}

/**
 * What the feeds tell, where there is no login of the server's own to ask with: not ready while the
 * cluster is out of reach for all that are read. Undefined: none is read, or could not be, so nothing is known.
 */
export function readinessOfFeeds(
  feeds: Iterable<{ readonly state: string }>,
): Readiness | undefined {
  let degraded = 0;
  for (const { state } of feeds) {
    if (state === 'RUNNING') return { status: 'ready' };
    if (state === 'DEGRADED') degraded += 1;
  }
  if (degraded === 0) return undefined;
  return { status: 'degraded', reason: `none of ${degraded} topics can be read from Kafka now` };
}
