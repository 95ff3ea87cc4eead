import type { Clock, Timer } from '../core/clock.ts';
import type { StreamPosition } from './cursor/stream-position.ts';
import { Group, type GroupOf, type Turn } from './group.ts';
import type { Waiting } from './keeping.ts';
import { type EncodeCursor, EventBatch, type EventMessage } from './message.ts';

/** When a batch is sent: with so many events, or so long after its first one came. */
export interface Batching {
  readonly maxEvents: number;
  readonly maxWaitMs: number;
}

export interface BatchGroupOptions {
  readonly clock: Clock;
  /** See `EventBatch.watermarkMs`. */
  readonly watermarkMs: () => number | null;
  /** Where the stream stood at the end of its last turn, or before what is still kept from the group. */
  readonly position: () => StreamPosition;
  readonly encode: EncodeCursor;
  /** See `Parcel.isOfPast`. @default false */
  readonly isOfPast?: boolean | undefined;
  /** Most that the texts of the events of a batch have together. @default no limit */
  readonly maxBytes?: number | undefined;
  /** What waits for the project. @default nobody counts */
  readonly waiting?: Waiting | undefined;
  /** Called when a batch is sent early, as it or the project has so much waiting. @default nobody is told */
  readonly onCut?: (() => void) | undefined;
  /** Called when a batch went out of turn. */
  readonly onDelivered: (deliveries: number) => void;
}

/** Events in batches, each built once for all members. */
export class BatchGroup extends Group<EventBatch> implements GroupOf<EventMessage, EventBatch> {
  readonly #batching: Batching;
  readonly #options: BatchGroupOptions;
  #open: EventMessage[] = [];
  #openBytes = 0;
  /** Where the stream stood before the first event of the open batch, … */
  #openBefore: StreamPosition | undefined;
  /** … before the first of those that are due, … */
  #dueBefore: StreamPosition | undefined;
  /** … and with the last of them. */
  #dueAfter: StreamPosition | undefined;
  #timer: Timer | undefined;

  constructor(batching: Batching, options: BatchGroupOptions) {
    super(options.isOfPast);
    this.#batching = batching;
    this.#options = options;
  }

  accept(message: EventMessage): void {
    this.#openBefore ??= this.#dueAfter ?? this.#options.position();
    this.#open.push(message);
    const { maxBytes = Number.POSITIVE_INFINITY, waiting, onCut } = this.#options;
    this.#openBytes += message.size;
    waiting?.add(message.size);
    if (this.#open.length >= this.#batching.maxEvents) {
      this.settle();
    } else if (this.#openBytes >= maxBytes || waiting?.isFull === true) {
      onCut?.();
      this.settle();
    }
  }

  override keptFrom(): StreamPosition | undefined {
    return this.#openBefore;
  }

  settle(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const last = this.#open.at(-1);
    if (last === undefined) return;
    const { watermarkMs, encode } = this.#options;
    const { position } = last;
    this.send(new EventBatch(this.#open, watermarkMs(), { position, encode }));
    this.#open = [];
    this.#waitsNoLonger();
    this.#dueBefore ??= this.#openBefore;
    this.#dueAfter = position;
    this.#openBefore = undefined;
  }

  close(): void {
    this.#timer?.cancel();
    this.#waitsNoLonger();
  }

  override flush(turn: Turn): number {
    const { maxWaitMs } = this.#batching;
    // Without a wait a batch is what one turn brings.
    if (maxWaitMs === 0) this.settle();
    else if (this.#open.length > 0) this.#timer ??= this.#schedule(maxWaitMs);
    const before = this.#dueBefore ?? turn.before;
    // What is open came in this turn, or before it.
    const after = this.#open.length > 0 ? (this.#dueAfter ?? before) : turn.after;
    this.#dueBefore = undefined;
    this.#dueAfter = undefined;
    return super.flush({ before, after });
  }

  protected progress(at: StreamPosition): void {
    if (this.#open.length > 0) return;
    const { watermarkMs, encode } = this.#options;
    const batch = new EventBatch([], watermarkMs(), { position: at, encode });
    this.handOut([batch], { before: at, after: at });
  }

  #waitsNoLonger(): void {
    this.#options.waiting?.add(-this.#openBytes);
    this.#openBytes = 0;
  }

  #schedule(delayMs: number): Timer {
    return this.#options.clock.schedule(delayMs, () => {
      this.settle();
      const at = this.#options.position();
      this.#options.onDelivered(this.flush({ before: at, after: at }));
    });
  }
}
