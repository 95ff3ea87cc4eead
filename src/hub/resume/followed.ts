import type { LostRange } from '../../core/errors.ts';
import type { StreamPosition } from '../cursor/stream-position.ts';
import type { Replay } from '../history/replay.ts';

/** A stream as far as a follower needs it: of events, or of dead letters. */
export interface Followed<Item> {
  readonly hasBegun: boolean;
  /** Nothing more comes. */
  readonly hasEnded: boolean;
  /** What it ended with, if that was an error. */
  readonly endError: Error | undefined;
  /** Where it stood at the end of its last turn. */
  readonly position: StreamPosition;
  /** What follows a position: see `History.after`. Not to be asked in the midst of a turn. */
  after(position: StreamPosition): Replay<Item> | 'gone' | 'ahead';
  /**
   * If nothing but K keeps it from a position, and nothing is changed by that, it comes there now: on a quiet topic the
   * next event may be long in coming. Not to be asked in the midst of a turn.
   */
  meet(position: StreamPosition): void;
  /**
   * What had been read at a position and is no longer in the log, as far as what was read here tells; of one that it
   * has come to.
   */
  lostOf(position: StreamPosition): LostRange[];
  /** Calls `listener` at the end of each turn, after what was due has been handed out. @returns ends that */
  watchTurns(listener: () => void): () => void;
  /**
   * Calls `listener` once when the stream is over, with the error that its subscribers get; at once if it is
   * over already. @returns ends that
   */
  watchEnd(listener: (error: Error | undefined) => void): () => void;
}
