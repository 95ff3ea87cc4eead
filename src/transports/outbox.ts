import type { Duplex } from 'node:stream';
import type { SharedFrames } from './shared-frames.ts';
import type { TurnEnd, TurnEndTask } from './turn-end.ts';

export interface OutboxOptions {
  /** What carries the connection. */
  readonly stream: Duplex;
  /** False: the connection is closing, and what comes is left out. */
  readonly isOpen: () => boolean;
  readonly turnEnd: TurnEnd;
  /** Most bytes that may wait while the client takes nothing. */
  readonly maxQueuedBytes: number;
  /** Called once when that is reached: the client is too slow. What waited is gone. */
  readonly onOverflow: () => void;
}

interface Entry {
  readonly frames: SharedFrames;
  readonly mark: Buffer | undefined;
}

/** Most bytes of one write that is put together of several frames. */
const maxWriteBytes = 256 * 1024;

/**
 * The sending side of a connection: all that is due in a turn leaves in one write. While the client has
 * not taken what was written before, what comes is kept (as references to frames that all share) and
 * leaves together when it has: under load, writes grow by themselves.
 */
export class Outbox implements TurnEndTask {
  readonly #options: OutboxOptions;
  #queue: Entry[] = [];
  #queuedBytes = 0;
  #isScheduled = false;
  /** Writes begun, and those of them that the stream has nothing left of. */
  #written = 0;
  #taken = 0;
  #isOverflown = false;
  #whenTaken: (() => void)[] | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** Bytes that the client has not taken. */
  get backlogBytes(): number {
    return this.#queuedBytes + (this.#isWaiting ? this.#options.stream.writableLength : 0);
  }

  /** Sends frames at the end of the turn; each copy of them with `mark`. */
  push(frames: SharedFrames, mark?: Buffer): void {
    if (this.#isOverflown || !this.#options.isOpen()) return;
    this.#queue.push({ frames, mark });
    this.#queuedBytes += frames.length;
    if (!this.#isWaiting) this.#schedule();
    else if (this.#queuedBytes > this.#options.maxQueuedBytes) this.#overflow();
  }

  /** Calls `taken` once there is nothing that the client has not taken. */
  whenTaken(taken: () => void): void {
    (this.#whenTaken ??= []).push(taken);
    if (!this.#isWaiting) this.#schedule();
  }

  endTurn(): void {
    this.#isScheduled = false;
    this.#flush();
  }

  /** Writes all there is, before something is written to the stream that must come after it. */
  flushAll(): void {
    while (this.#queue.length > 0 && this.#options.isOpen()) this.#write();
  }

  /** The stream still has bytes of a write. */
  get #isWaiting(): boolean {
    return this.#written > this.#taken && this.#options.stream.writableLength > 0;
  }

  #flush(): void {
    if (!this.#options.isOpen()) this.#drop();
    while (this.#queue.length > 0) {
      if (this.#isWaiting) return;
      this.#write();
    }
    if (!this.#isWaiting) this.#tellTaken();
  }

  #write(): void {
    const { stream } = this.#options;
    this.#written += 1;
    const [first] = this.#queue;
    if (this.#queue.length === 1 && first !== undefined) {
      this.#drop();
      first.frames.writeTo(stream, first.mark, this.#onTaken);
      return;
    }
    const bytes = Buffer.allocUnsafe(this.#lengthOfWrite());
    let at = 0;
    let count = 0;
    for (const { frames, mark } of this.#queue) {
      if (at + frames.length > bytes.length) break;
      at = frames.copyTo(bytes, at, mark);
      count += 1;
    }
    this.#queue = count === this.#queue.length ? [] : this.#queue.slice(count);
    this.#queuedBytes -= at;
    stream.write(bytes, this.#onTaken);
  }

  /** Of as many frames as fit, and of one at least. */
  #lengthOfWrite(): number {
    if (this.#queuedBytes <= maxWriteBytes) return this.#queuedBytes;
    let length = 0;
    for (const { frames } of this.#queue) {
      if (length > 0 && length + frames.length > maxWriteBytes) break;
      length += frames.length;
    }
    return length;
  }

  readonly #onTaken = (): void => {
    this.#taken += 1;
    if (
      this.#taken === this.#written &&
      (this.#queue.length > 0 || this.#whenTaken !== undefined)
    ) {
      this.#flush();
    }
  };

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#options.turnEnd.schedule(this);
  }

  #drop(): void {
    this.#queue = [];
    this.#queuedBytes = 0;
  }

  #tellTaken(): void {
    const told = this.#whenTaken;
    if (told === undefined) return;
    this.#whenTaken = undefined;
    for (const taken of told) taken();
  }

  #overflow(): void {
    this.#isOverflown = true;
    this.#drop();
    this.#whenTaken = undefined;
    this.#options.onOverflow();
  }
}
