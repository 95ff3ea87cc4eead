import type { MillraceError } from '../core/errors.ts';

/** Whether a key has been revoked, and who wants to know when it is. */
export interface RevocationSignal {
  readonly aborted: boolean;
  /** What to show; undefined: it has not been revoked. */
  readonly reason: MillraceError | undefined;
  throwIfAborted(): void;
  /** Calls `listener` once, with the reason. @returns the function that takes it out again */
  watch(listener: (reason: MillraceError) => void): () => void;
}

/**
 * As an `AbortController` with its signal, but for tens of thousands of listeners: an `AbortSignal` looks
 * through all that it has whenever one comes or goes.
 */
export class Revocation implements RevocationSignal {
  readonly #listeners = new Set<(reason: MillraceError) => void>();
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

  watch(listener: (reason: MillraceError) => void): () => void {
    if (this.#reason !== undefined) {
      listener(this.#reason);
      return () => undefined;
    }
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Only the first reason counts. */
  abort(reason: MillraceError): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener(reason);
  }
}
