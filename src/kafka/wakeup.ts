/** What one loop waits for and others give. A signal that nobody waits for is kept, once. */
export class Wakeup {
  #pending = false;
  #resolve: (() => void) | null = null;

  wake(): void {
    this.#pending = true;
    this.#resolve?.();
  }

  /** Resolves at the next signal, or after so many milliseconds. @default Infinity */
  async next(withinMs = Infinity): Promise<void> {
    if (!this.#pending) {
      await new Promise<void>((resolve) => {
        const timer = withinMs === Infinity ? undefined : setTimeout(resolve, withinMs);
        this.#resolve = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#pending = false;
    this.#resolve = null;
  }
}
