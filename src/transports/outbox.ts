import type { Duplex } from 'node:stream';
import type { StreamPosition } from '../hub/cursor/stream-position.ts';
import type { ByteBudget } from './allowance/byte-budget.ts';
import type { SharedFrames } from './shared-frames.ts';
import type { TurnEnd, TurnEndTask } from './turn-end.ts';

/** The connection that an outbox sends on. */
export interface OutboxConnection {
  /** What carries it. */
  readonly stream: Duplex;
  /** False: it is closing, and what comes is left out. */
  readonly isOpen: boolean;
  /** What waited for the client was dropped: its subscriptions go on when it takes something again. */
  onSlow(): void;
}

/** The same for all connections. */
export interface OutboxSettings {
  readonly turnEnd: TurnEnd;
  /** Most bytes that may wait while the client takes nothing. */
  readonly maxQueuedBytes: number;
}

/** Whose frames they are. */
export interface OutboxOwner {
  /** What makes its copy of the frames different from others'. */
  readonly mark: Buffer | undefined;
  /**
   * All of its frames that waited are gone, as the client was too slow.
   *
   * @param before where it stands without them
   */
  lost(before: StreamPosition): void;
}

interface Entry {
  readonly frames: SharedFrames;
  readonly owner: OutboxOwner | undefined;
  readonly before: StreamPosition | undefined;
}

/** Most bytes of one write that is put together of several frames. */
const maxWriteBytes = 256 * 1024;

/**
 * The sending side of a connection: all that is due in a turn leaves in one write. While the client does
 * not take what was written (the stream is above its high-water mark), what comes is kept as references
 * to frames that all share, and leaves together when it has: under load, writes grow by themselves.
 */
export class Outbox implements TurnEndTask {
  readonly #connection: OutboxConnection;
  readonly #settings: OutboxSettings;
  /** The first that is due, apart: as a rule there is no other, and then nothing is allocated. */
  #frames: SharedFrames | undefined;
  #owner: OutboxOwner | undefined;
  #before: StreamPosition | undefined;
  #more: Entry[] | undefined;
  #queuedBytes = 0;
  #isScheduled = false;
  /** Until the stream has drained, or the project may be sent more. */
  #isWaiting = false;
  /** It is the latter. */
  #waitsForBudget = false;
  #budget: ByteBudget | undefined;
  #whenTaken: (() => void)[] | undefined;

  constructor(connection: OutboxConnection, settings: OutboxSettings) {
    this.#connection = connection;
    this.#settings = settings;
  }

  /** Bytes that wait because the client does not take them, or are due in this turn. */
  get backlogBytes(): number {
    return this.#queuedBytes + (this.#isWaiting ? this.#connection.stream.writableLength : 0);
  }

  /** Nothing more is to be made for it in this turn: what is not made yet is to be read again when it can be sent. */
  get mustNotMake(): boolean {
    return this.#budget?.hasMadeMuch === true;
  }

  /** Frames have been made, for it first. */
  noteMade(frames: SharedFrames): void {
    this.#budget?.noteMade(frames.length);
  }

  /** What is of subscriptions waits until the project may be sent more. */
  get waitsForBudget(): boolean {
    return this.#waitsForBudget;
  }

  /**
   * Sends frames at the end of the turn. What is of no subscription is little, and waits for the client alone, not for its
   * project: a client that hears nothing would go away.
   *
   * @param before where the owner stands without them
   */
  push(frames: SharedFrames, owner?: OutboxOwner, before?: StreamPosition): void {
    if (this.#frames === undefined) {
      this.#frames = frames;
      this.#owner = owner;
      this.#before = before;
    } else {
      (this.#more ??= []).push({ frames, owner, before });
    }
    this.#queuedBytes += frames.length;
    if (!this.#isWaiting || (this.#waitsForBudget && owner === undefined)) this.#schedule();
    if (this.#queuedBytes > this.#settings.maxQueuedBytes) this.#relieve();
  }

  /**
   * As `push`, of the only one who owns anything on the connection: as all that is due to it in a turn of its feed is
   * in these frames, they leave at once.
   */
  send(frames: SharedFrames, owner: OutboxOwner, before: StreamPosition): void {
    const mustWait =
      this.#frames !== undefined ||
      this.#isWaiting ||
      this.#isScheduled ||
      this.#budget?.isSpent === true;
    if (mustWait) return this.push(frames, owner, before);
    const { stream, isOpen } = this.#connection;
    if (!isOpen) return;
    this.#budget?.spend(frames.length);
    if (!frames.writeTo(stream, owner.mark)) this.#waitForDrain();
  }

  /** What waits of an owner that has left is not sent any more. */
  forget(owner: OutboxOwner): void {
    this.#hold(this.#entries().filter((entry) => entry.owner !== owner));
  }

  /** From here on no more is sent than this allows. What is over it waits like what a slow client does not take. */
  useBudget(budget: ByteBudget): void {
    this.#budget = budget;
  }

  /** What is sent on the connection past the outbox. */
  spend(bytes: number): void {
    this.#budget?.spend(bytes);
  }

  /** Calls `taken` once nothing waits any more, and the project may be sent something. */
  whenTaken(taken: () => void): void {
    (this.#whenTaken ??= []).push(taken);
    if (!this.#isWaiting) this.#schedule();
  }

  endTurn(): void {
    this.#isScheduled = false;
    if (!this.#isWaiting) this.#flush();
    else if (this.#waitsForBudget) this.#writeUnowned();
  }

  /** Writes all there is, before something is written to the stream that must come after it. */
  flushAll(): void {
    while (this.#frames !== undefined && this.#connection.isOpen) this.#write();
  }

  /** @param hasTurn it has waited until its project may be sent more */
  #flush(hasTurn = false): void {
    if (!this.#connection.isOpen) this.#drop();
    let mayWrite = hasTurn;
    // What it is given now goes with this turn: to tell it and send nothing would leave the turn to all who wait, at once.
    if (hasTurn && this.#frames === undefined) {
      this.#tellTaken();
      if (!this.#connection.isOpen) this.#drop();
      // It may have been sent already, and wait: whoever wants more then is told when it is drained, or at the turn's end.
      if (this.#isWaiting || this.#frames === undefined) return;
    }
    while (this.#frames !== undefined) {
      if (!mayWrite && this.#budget?.isSpent === true) return this.#waitForBudget(this.#budget);
      mayWrite = false;
      if (!this.#write()) return this.#waitForDrain();
    }
    if (this.#whenTaken === undefined) return;
    // Nothing is prepared that may not be sent yet.
    const budget = this.#budget;
    if (budget !== undefined && !mayWrite && (budget.isSpent || budget.hasMadeMuch)) {
      return this.#waitForBudget(budget);
    }
    this.#tellTaken();
  }

  /** Too much is due: it leaves now, in the midst of the turn, and what cannot leave is dropped. */
  #relieve(): void {
    while (!this.#isWaiting && this.#frames !== undefined && this.#connection.isOpen) {
      if (this.#budget?.isSpent === true) this.#waitForBudget(this.#budget);
      else if (!this.#write()) this.#waitForDrain();
    }
    if (this.#isWaiting && this.#queuedBytes > this.#settings.maxQueuedBytes) this.#overflow();
  }

  /** @returns false: the stream has enough for now */
  #write(): boolean {
    const { stream } = this.#connection;
    const frames = this.#frames;
    if (frames === undefined) return true;
    if (this.#more === undefined) {
      this.#budget?.spend(frames.length);
      const mark = this.#owner?.mark;
      this.#drop();
      return frames.writeTo(stream, mark);
    }
    const entries = this.#entries();
    const { length, count } = fitting(entries);
    const bytes = Buffer.allocUnsafe(length);
    let at = 0;
    for (const entry of entries.slice(0, count)) {
      at = entry.frames.copyTo(bytes, at, entry.owner?.mark);
    }
    this.#hold(entries.slice(count));
    this.#budget?.spend(length);
    return stream.write(bytes);
  }

  /** From now on these are what waits. */
  #hold([next, ...others]: readonly Entry[]): void {
    this.#frames = next?.frames;
    this.#owner = next?.owner;
    this.#before = next?.before;
    this.#more = others.length > 0 ? others : undefined;
    this.#queuedBytes = next?.frames.length ?? 0;
    for (const { frames } of others) this.#queuedBytes += frames.length;
  }

  #entries(): Entry[] {
    if (this.#frames === undefined) return [];
    const first = { frames: this.#frames, owner: this.#owner, before: this.#before };
    return this.#more === undefined ? [first] : [first, ...this.#more];
  }

  #waitForDrain(): void {
    this.#isWaiting = true;
    this.#connection.stream.once('drain', () => {
      this.#isWaiting = false;
      this.#flush();
    });
  }

  #waitForBudget(budget: ByteBudget): void {
    this.#isWaiting = true;
    this.#waitsForBudget = true;
    budget.whenRefilled(() => {
      this.#isWaiting = false;
      this.#waitsForBudget = false;
      this.#flush(true);
    });
    this.#writeUnowned();
  }

  /** What is of no subscription; the rest goes on waiting. */
  #writeUnowned(): void {
    if (!this.#connection.isOpen) return;
    const entries = this.#entries();
    const unowned = entries.filter(({ owner }) => owner === undefined);
    if (unowned.length === 0) return;
    this.#hold(entries.filter(({ owner }) => owner !== undefined));
    for (const { frames } of unowned) {
      this.#budget?.spend(frames.length);
      frames.writeTo(this.#connection.stream, undefined);
    }
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#settings.turnEnd.schedule(this);
  }

  #drop(): void {
    this.#frames = undefined;
    this.#owner = undefined;
    this.#before = undefined;
    this.#more = undefined;
    this.#queuedBytes = 0;
  }

  #tellTaken(): void {
    const told = this.#whenTaken;
    if (told === undefined) return;
    this.#whenTaken = undefined;
    for (const taken of told) taken();
  }

  /**
   * The client is too slow for what waits: it is dropped, and the subscriptions go on from before it when the client
   * takes something again. What is of no subscription stays, as nothing would make up for it: that the feed is
   * ready, and a few bytes at each beat.
   */
  #overflow(): void {
    const lost = new Map<OutboxOwner, StreamPosition>();
    const kept: Entry[] = [];
    for (const entry of this.#entries()) {
      const { owner, before } = entry;
      if (owner === undefined || before === undefined) kept.push(entry);
      else if (!lost.has(owner)) lost.set(owner, before);
    }
    this.#hold(kept);
    for (const [owner, before] of lost) owner.lost(before);
    this.#connection.onSlow();
  }
}

/** As many from the first on as go into one write; the first in any case. */
function fitting(entries: readonly Entry[]): { length: number; count: number } {
  let [length, count] = [0, 0];
  for (const { frames } of entries) {
    if (count > 0 && length + frames.length > maxWriteBytes) break;
    length += frames.length;
    count += 1;
  }
  return { length, count };
}
