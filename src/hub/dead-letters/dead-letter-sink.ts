import type { DeadLetter } from '../../decode/event.ts';

/** Who gets the dead letters of a feed. */
export interface DeadLetterSink {
  /** Subscriptions that get them. */
  readonly subscribers: number;
  /** Messages handed to subscriptions so far. */
  readonly delivered: number;
  /** What it remembers of them, if another one of the same stream does not say so. */
  readonly historyBytes: number;
  /** It is known where reading begins, or that the topic is yet to come; nothing has come yet. */
  begun(): void;
  accept(deadLetter: DeadLetter): void;
  /** The end of a turn: after each answer of a broker, whatever was in it. */
  flush(): void;
  /** Nothing more comes. */
  end(error: Error | undefined): void;
}
