import type { DeadLetter, Event } from '../decode/event.ts';

/** An event as one stream delivers it: lateness depends on the order, so it is not the event's own. */
export interface EventMessage {
  readonly topic: string;
  readonly event: Event;
  readonly late: boolean;
}

export interface DeadLetterMessage {
  readonly topic: string;
  readonly deadLetter: DeadLetter;
}
