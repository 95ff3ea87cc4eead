import type { ConflationBounds } from './conflation/choice.ts';

/** How much is kept for later, so that it can be sent together. Lengths are those of the events' texts. */
export interface KeepingBounds extends ConflationBounds {
  /** Of the events of one batch. @default no limit */
  readonly maxBatchBytes?: number | undefined;
  /** What each project may have waiting in all its batches and intervals. @default no limit */
  readonly waiting?: WaitingBytes | undefined;
}

/** What waits for one project, in open batches and for the end of intervals. */
export class Waiting {
  readonly #max: number;
  #bytes = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** No more is to wait: whoever adds to it sends what it has. */
  get isFull(): boolean {
    return this.#bytes > this.#max;
  }

  /** @param bytes below zero: so much waits no longer */
  add(bytes: number): void {
    this.#bytes += bytes;
  }
}

/** What waits for each project, however many groups of its subscriptions keep something. */
export class WaitingBytes {
  readonly #maxPerProject: number;
  /** Of all projects that subscribed to something: nobody can make them up. */
  readonly #byProject = new Map<string, Waiting>();

  constructor(maxPerProject: number) {
    this.#maxPerProject = maxPerProject;
  }

  of(projectId: string): Waiting {
    let waiting = this.#byProject.get(projectId);
    if (waiting === undefined) {
      waiting = new Waiting(this.#maxPerProject);
      this.#byProject.set(projectId, waiting);
    }
    return waiting;
  }
}
