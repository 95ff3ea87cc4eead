/** What one loop waits for and others give. A signal that nobody waits for is kept, once. */
export class Wakeup {
  #pending = false;
  #resolve: (() => void) | null = null;

  wake(): void {
    this.#pending = true;
    this.#resolve?.();
  }

  /** Resolves at the next signal, or after so many milliseconds; true: there was a signal. */
  async next(withinMs?: number): Promise<boolean> {
    if (!this.#pending) {
      await new Promise<void>((resolve) => {
        const timer = withinMs === undefined ? undefined : setTimeout(resolve, withinMs);
        this.#resolve = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const signalled = this.#pending;
    this.#pending = false;
    this.#resolve = null;
    return signalled;
  }
}
