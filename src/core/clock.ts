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

/** A timer that is later than this, in milliseconds, was held up: the process stood still, or was busy for long. */
const heldUpMs = 500;

/**
 * A timer that was held up fires after what came meanwhile has been read: whoever was heard in time is not to be judged
 * by how late the server hears it.
 */
export const systemClock: Clock = {
  now: () => Date.now(),
  schedule(delayMs, fire) {
    const dueMs = performance.now() + delayMs;
    let reading: NodeJS.Immediate | undefined;
    const handle = setTimeout(() => {
      if (performance.now() - dueMs < heldUpMs) fire();
      else reading = setImmediate(fire);
    }, delayMs);
    handle.unref();
    return {
      cancel: () => {
        clearTimeout(handle);
        clearImmediate(reading);
      },
    };
  },
};
