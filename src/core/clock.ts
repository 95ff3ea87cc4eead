/** A pending timer. */
export interface Timer {
  /** Stops it; a second call, or one after it fired, does nothing. */
  cancel(): void;
}

/** Where time comes from, so that tests can move it by hand. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `fire` once, `delayMs` from now. A pending timer does not keep the process alive. */
  schedule(delayMs: number, fire: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(delayMs, fire) {
    const handle = setTimeout(fire, delayMs);
    handle.unref();
    return { cancel: () => clearTimeout(handle) };
  },
};
