/** A wait that ends by time or by being told, whichever comes first. For one waiter. */
export class Alarm {
  #rung = false;
  #end: (() => void) | null = null;

  /** A ring that nobody waits for is kept, once. */
  ring(): void {
    this.#rung = true;
    this.#end?.();
  }

  /** @param limitMs `Infinity`: only by `ring` */
  async wait(limitMs: number): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = limitMs === Infinity ? undefined : setTimeout(resolve, limitMs);
        this.#end = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#rung = false;
    this.#end = null;
  }
}
