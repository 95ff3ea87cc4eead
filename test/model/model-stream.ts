import type { Clock } from '../../src/core/clock.ts';
import type { Event } from '../../src/decode/event.ts';
import {
  areAtLeast,
  positionOf,
  resumePointOf,
  type StreamPosition,
} from '../../src/hub/cursor/stream-position.ts';
import { History } from '../../src/hub/history/history.ts';
import type { StreamMessage } from '../../src/hub/history/stream-message.ts';
import type { EventOrder } from '../../src/sequence/order.ts';
import { Sequencer } from '../../src/sequence/sequencer.ts';
import type { Dice } from './dice.ts';
import { endOf, type Log, latenessMs } from './random-log.ts';

const idKey = Uint8Array.from({ length: 32 }, (_, at) => 255 - at);

/** What is common to all streams of a model. */
export interface StreamWorld {
  readonly log: Log;
  readonly dice: Dice;
  readonly order: EventOrder;
  readonly deduplicate: boolean;
  /** False: the history is not told of copies. A control. */
  readonly tellsCopies: boolean;
}

/** Where a stream begins. */
export type Begin =
  /** Anew, at these offsets, knowing nothing of what is before. For controls. */
  | { readonly at: 'offsets'; readonly offsets: readonly number[] }
  /** Where another one stood. */
  | { readonly at: 'position'; readonly position: StreamPosition };

/** A sequencer with a history that reads the log in bursts, in an interleaving of its own. */
export class ModelStream {
  readonly history: History<Event>;
  /** Told of each message; those in a set, in its order. */
  readonly listeners = new Set<(message: StreamMessage<Event>) => void>();
  readonly #world: StreamWorld;
  readonly #clock: Clock;
  readonly #sequencer: Sequencer;
  /** By partition, as far as they have been found. */
  readonly #at: number[] = [];

  constructor(world: StreamWorld, clock: Clock, begin: Begin) {
    this.#world = world;
    this.#clock = clock;
    const { order, deduplicate, dice } = world;
    const resumed = begin.at === 'position' ? begin.position : undefined;
    // While the stream is made nothing is emitted yet.
    const emit = (event: Event, late: boolean): void => {
      const message = this.history.emitted(event, late, this.#sequencer.keyUnderWay());
      for (const listener of this.listeners) listener(message);
    };
    this.#sequencer = new Sequencer({
      order,
      deduplicate,
      latenessMs,
      dedupWindowMs: 1e9,
      maxDedupBytes: 2 ** 20,
      maxHeldBytes: dice.oneIn(4) ? 100 : 1e6,
      idKey,
      clock,
      emit,
      onCopy: (event) => {
        if (!world.tellsCopies || this.#sequencer.rereading) return;
        this.history.copy(event, this.#sequencer.keyUnderWay());
      },
      ...(resumed === undefined ? {} : { resumeFrom: resumePointOf(resumed) }),
    });
    const offsets = this.#offsetsOf(begin);
    const known = begin.at === 'offsets' ? begin.offsets : begin.position.next;
    const found = Math.max(known.length, 1 + dice.below(offsets.length));
    for (const offset of offsets.slice(0, found)) this.#addPartition(offset);
    this.history = new History({
      order,
      maxBytes: 600 * (1 + dice.below(dice.oneIn(3) ? 10 : 150)),
      start: begin.at === 'position' ? begin.position : this.#position(),
      recordOf: ({ id, partition, offset }) => ({ id, lane: partition, offset }),
      bytesOf: ({ json }) => json.length,
    });
  }

  /** Reads a little, releases what is due, as a rule, and marks the end of the turn. */
  turn(): void {
    const { dice, log } = this.#world;
    const nowMs = this.#clock.now();
    if (this.#at.length < log.partitions.length && dice.oneIn(10)) this.#addPartition(0);
    for (let answers = 1 + dice.below(2); answers > 0; answers--) {
      const partition = dice.below(this.#at.length);
      for (let burst = dice.below(8); burst > 0 && this.#read(partition); burst--);
      if (this.#isAtEnd(partition)) this.#sequencer.caughtUp(partition, nowMs);
    }
    if (!dice.oneIn(4)) this.#sequencer.release();
    this.history.mark(this.#position());
  }

  /** Reads all there is and releases all that is due. */
  drain(): void {
    while (this.#at.length < this.#world.log.partitions.length) this.#addPartition(0);
    for (const partition of this.#at.keys()) {
      while (this.#read(partition));
      this.#sequencer.caughtUp(partition, this.#clock.now());
    }
    this.#sequencer.release();
    this.history.mark(this.#position());
  }

  /** See `Followed.meet`. */
  meet({ key, next }: StreamPosition): void {
    if (key === null || !areAtLeast(this.history.position.next, next)) return;
    if (this.#sequencer.raise(key)) this.history.mark(this.#position());
  }

  #addPartition(offset: number): void {
    this.#sequencer.addPartition(this.#at.length, offset);
    this.#at.push(offset);
  }

  #position(): StreamPosition {
    return positionOf(this.#sequencer.position());
  }

  #offsetsOf(begin: Begin): readonly number[] {
    const { log, deduplicate, dice } = this.#world;
    switch (begin.at) {
      case 'offsets':
        return log.partitions.map((_, partition) => begin.offsets[partition] ?? 0);
      case 'position':
        // The ids of the window before V must be known, which here is everything.
        return log.partitions.map((_, partition) =>
          deduplicate || dice.oneIn(2) ? 0 : (begin.position.lowest[partition] ?? 0),
        );
    }
  }

  #isAtEnd(partition: number): boolean {
    return (this.#at[partition] ?? 0) >= endOf(this.#world.log, partition, this.#clock.now());
  }

  /** Reads one record. @returns false: there is none yet */
  #read(partition: number): boolean {
    if (this.#isAtEnd(partition)) return false;
    const offset = this.#at[partition] ?? 0;
    const record = this.#world.log.partitions[partition]?.[offset];
    this.#at[partition] = offset + 1;
    if (record === null || record === undefined) this.#sequencer.advance(partition, offset + 1);
    else this.#sequencer.ingest(record.event);
    return true;
  }
}
