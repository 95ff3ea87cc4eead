/** How long nothing came, at the most. */
export class Flow {
  longestSilenceMs = 0;
  #lastMs = performance.now();

  came(): void {
    const nowMs = performance.now();
    this.longestSilenceMs = Math.max(this.longestSilenceMs, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }
}
