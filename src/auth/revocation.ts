import type { MillraceError } from '../core/errors.ts';

/** Who wants to know when a key is revoked. */
export interface RevocationListener {
  /** Called once. */
  onRevoked(reason: MillraceError): void;
}

/** Whether a key has been revoked. */
export interface RevocationSignal {
  readonly aborted: boolean;
  /** What to show; undefined: it has not been revoked. */
  readonly reason: MillraceError | undefined;
  throwIfAborted(): void;
  /** Tells the listener when it is, at once if it has been. */
  watch(listener: RevocationListener): void;
  unwatch(listener: RevocationListener): void;
}

/**
 * As an `AbortController` with its signal, but for tens of thousands of listeners: an `AbortSignal` looks
 * through all that it has whenever one comes or goes.
 */
export class Revocation implements RevocationSignal {
  readonly #listeners = new Set<RevocationListener>();
  #reason: MillraceError | undefined;

  get aborted(): boolean {
    return this.#reason !== undefined;
  }

  get reason(): MillraceError | undefined {
    return this.#reason;
  }

  throwIfAborted(): void {
    if (this.#reason !== undefined) throw this.#reason;
  }

  watch(listener: RevocationListener): void {
    if (this.#reason === undefined) this.#listeners.add(listener);
    else listener.onRevoked(this.#reason);
  }

  unwatch(listener: RevocationListener): void {
    this.#listeners.delete(listener);
  }

  /** Only the first reason counts. */
  abort(reason: MillraceError): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener.onRevoked(reason);
  }
}
