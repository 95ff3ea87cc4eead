import type { LostRange } from '../core/errors.ts';
import type { EpochStart } from '../kafka/port.ts';
import type { LeaderEpochs } from './cursor/lanes.ts';
import type { StreamPosition } from './cursor/stream-position.ts';

/** Changes of leader that are kept for each lane: more than one can come to in the time that ids are kept for. */
const maxStarts = 64;

/**
 * Under which leaders a log was read, lane by lane. A log is cut off where a leader takes over who lacks records
 * that another one had served; what is written from there on bears a later epoch. So whoever read further under an
 * earlier epoch has read what is no longer there.
 */
export class Lineage {
  /** By lane, oldest first. */
  readonly #starts = new Map<number, EpochStart[]>();
  #epochs: LeaderEpochs;

  /** @param epochs what is known of what lies before; `null` or absent: nothing */
  constructor(epochs: LeaderEpochs = []) {
    this.#epochs = epochs;
  }

  /** The latest epoch that is known of each lane; the same array while there is no other. */
  get epochs(): LeaderEpochs {
    return this.#epochs;
  }

  /**
   * Takes note of what is read next, before it is handed on.
   *
   * @param isPassed reading comes to where the streams begin, or is behind it: before that nothing is known of the
   *   record below their R
   */
  read(lane: number, starts: readonly EpochStart[], isPassed: boolean): void {
    const known = this.#starts.get(lane) ?? [];
    // Brokers of long ago wrote none.
    for (const start of starts) if (start.epoch >= 0) known.push(start);
    const last = known.at(-1);
    if (last === undefined) return;
    this.#starts.set(lane, known);
    while (known.length > maxStarts) {
      const [oldest, next] = known.splice(0, 2);
      // At the price of taking a log for cut off that is not, for cursors that are as old.
      if (oldest !== undefined && next !== undefined) {
        known.unshift({ from: oldest.from, epoch: next.epoch });
      }
    }
    if (!isPassed || (this.#epochs[lane] ?? -1) >= last.epoch) return;
    const epochs = [...this.#epochs];
    while (epochs.length <= lane) epochs.push(null);
    epochs[lane] = last.epoch;
    this.#epochs = epochs;
  }

  /** What had been read at a position and is no longer in the log, as far as what was read here tells. */
  lostOf({ next, epochs = [] }: StreamPosition): LostRange[] {
    const lost: LostRange[] = [];
    for (const [lane, starts] of this.#starts) {
      const epoch = epochs[lane] ?? null;
      const to = next[lane] ?? 0;
      if (epoch === null) continue;
      const from = starts.find((start) => start.epoch > epoch)?.from;
      if (from !== undefined && from < to) lost.push({ partition: lane, from, to });
    }
    return lost;
  }
}
