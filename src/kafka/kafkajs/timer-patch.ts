import { privateApi } from './private-api.ts';

let patched = false;

/**
 * Stops a loop of timers in kafkajs 2.2.4.
 *
 * After every answer its request queue sets a timer "to check pending requests", also when none is
 * pending, and then for `throttledUntil - now`, a large negative number: Node fires it after 1 ms, it
 * sets the next, and so on for the life of the connection, since Node 24 with a
 * `TimeoutNegativeWarning` (tulios/kafkajs issues 1556 and 1751). A queue with nothing pending
 * needs no timer: whoever adds a request schedules the check.
 */
export function stopIdleTimers(): void {
  if (patched) return;
  patched = true;
  const { prototype } = privateApi().RequestQueue;
  const { scheduleCheckPendingRequests: schedule } = prototype;
  prototype.scheduleCheckPendingRequests = function () {
    if (this.pending.length > 0) schedule.call(this);
  };
}
