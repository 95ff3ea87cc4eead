import type { Clock, Timer } from '../core/clock.ts';
import { Group, type GroupOf } from './group.ts';
import { EventBatch, type EventMessage } from './message.ts';

/** When a batch is sent: with so many events, or so long after its first one came. */
export interface Batching {
  readonly maxEvents: number;
  readonly maxWaitMs: number;
}

export interface BatchGroupOptions {
  readonly clock: Clock;
  /** See `EventBatch.watermarkMs`. */
  readonly watermarkMs: () => number | null;
  /** Called when a batch went out of turn. */
  readonly onDelivered: (deliveries: number) => void;
}

/** Events in batches, each built once for all members. */
export class BatchGroup extends Group<EventBatch> implements GroupOf<EventMessage, EventBatch> {
  readonly #batching: Batching;
  readonly #options: BatchGroupOptions;
  #open: EventMessage[] = [];
  #timer: Timer | undefined;

  constructor(batching: Batching, options: BatchGroupOptions) {
    super();
    this.#batching = batching;
    this.#options = options;
  }

  accept(message: EventMessage): void {
    this.#open.push(message);
    if (this.#open.length >= this.#batching.maxEvents) this.settle();
  }

  settle(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#open.length === 0) return;
    this.send(new EventBatch(this.#open, this.#options.watermarkMs()));
    this.#open = [];
  }

  close(): void {
    this.#timer?.cancel();
  }

  override flush(): number {
    const { maxWaitMs } = this.#batching;
    // Without a wait a batch is what one turn brings.
    if (maxWaitMs === 0) this.settle();
    else if (this.#open.length > 0) this.#timer ??= this.#schedule(maxWaitMs);
    return super.flush();
  }

  #schedule(delayMs: number): Timer {
    return this.#options.clock.schedule(delayMs, () => {
      this.settle();
      this.#options.onDelivered(super.flush());
    });
  }
}
