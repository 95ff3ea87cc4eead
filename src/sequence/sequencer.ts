import type { Clock } from '../core/clock.ts';
import type { Event } from '../decode/event.ts';
import { IdDigester } from './dedup/id-digest.ts';
import { SeenIds } from './dedup/seen-ids.ts';
import type { EventOrder } from './order.ts';
import type { OrderKey } from './order-key.ts';
import { none, type Place } from './held-events.ts';
import { clampTimeUs, compareOrderKeys } from './order-key.ts';
import { keyOf, OrderingBuffer, type RankedBy } from './ordering-buffer.ts';
import type { Position, ResumePoint } from './position.ts';
import { ReleasedKey } from './released-key.ts';
import { Rereading } from './rereading.ts';
import type { SequencerOptions } from './sequencer-options.ts';
import { Watermark } from './watermark.ts';

export interface SequencerCounters {
  /** Records ingested. Always `emitted + duplicates` + those held. */
  received: number;
  emitted: number;
  /** Copies that were dropped. */
  duplicates: number;
  /** Emitted with `late: true`. */
  late: number;
  /** Emitted before their time because `maxHeldBytes` was reached. */
  releasedEarly: number;
}

/** So many buckets of the ordering buffer for one lateness, which is about what is held. */
const bucketsForLateness = 256;
const shortestBucketUs = 1_000;
const longestBucketUs = 2 ** 28;
/** Sequence numbers of one bucket. */
const numbersOfBucket = 64;

function bucketUs(latenessMs: number): number {
  const us = Math.ceil((latenessMs * 1_000) / bucketsForLateness);
  return Math.min(longestBucketUs, Math.max(shortestBucketUs, us));
}

/** So many records of a batch are looked at together: their cache lines fit into the first-level cache. */
const batchLength = 128;

interface Partition {
  readonly id: number;
  /** R. */
  next: number;
  /** How far it was read: below `next` while a resumed stream is read again, beyond while others are. */
  read: number;
  /** Records below this, while they are read again, are asked for their ids only. */
  readonly rereadFrom: number;
}

/** Of those of which nothing had been read there is nothing to be read again. */
function partitionsRead(resumed: ResumePoint | null): number[] {
  const read: number[] = [];
  for (const [partition, next] of resumed?.next ?? []) if (next > 0) read.push(partition);
  return read;
}

/**
 * Puts the records of all partitions of a topic in one order and drops copies: the state machine
 * (K, R, V) of docs/ordering.md. Pure: no timers and no input or output of its own.
 *
 * Let m(x) be the smallest key among the occurrences of id x below R. **Invariant: x has been emitted if
 * and only if m(x) <= K.** `#acceptDigested` keeps it where R moves, `#releaseHead` where K does.
 *
 * Some records have no place in the order: in SEQUENCE those without a number, in TIMESTAMP those whose
 * broker's time is from the future, and in ARRIVAL all. They count as smaller than every key, so
 * they are emitted at once, and are settled as soon as they are below R.
 */
export class Sequencer {
  readonly counters: SequencerCounters = {
    received: 0,
    emitted: 0,
    duplicates: 0,
    late: 0,
    releasedEarly: 0,
  };
  readonly #order: EventOrder;
  readonly #latenessMs: number;
  readonly #maxAdvanceMs: number;
  readonly #maxHeldBytes: number;
  readonly #clock: Clock;
  readonly #emit: (event: Event, late: boolean) => void;
  readonly #onCopy: ((event: Event) => void) | undefined;
  readonly #digester: IdDigester;
  readonly #seen: SeenIds | null;
  readonly #watermark: Watermark;
  readonly #rankedBy: RankedBy;
  readonly #buffer: OrderingBuffer;
  /** By partition number. */
  readonly #partitions: (Partition | undefined)[] = [];
  readonly #resumed: ResumePoint | null;
  readonly #rereading: Rereading;
  #watermarkMs: number | null = null;
  #nowMs: number;
  #nowIsFresh = false;

  /** K. */
  readonly #last: ReleasedKey;

  /** The record under way. */
  readonly #at: Place;
  /** Digests of a batch's ids, four words each. */
  readonly #digests = new Int32Array(batchLength * 4);
  #outOfBounds = false;
  /** Whose key `keyUnderWay` is: the event's that was released, that of a record in `#at`, or this one. */
  #underWay: 'K' | Event | OrderKey | null = null;

  #next: Map<number, number> | null = null;
  #lowest: Map<number, number> | null = null;

  /** @throws {RangeError} when a limit cannot be used, or the id key has another length than 32 */
  constructor(options: SequencerOptions) {
    this.#order = options.order;
    this.#latenessMs = options.latenessMs;
    this.#maxAdvanceMs = options.maxAdvanceMs ?? 1_000;
    this.#maxHeldBytes = options.maxHeldBytes;
    this.#clock = options.clock;
    this.#nowMs = options.clock.now();
    this.#emit = options.emit;
    this.#onCopy = options.onCopy;
    this.#digester = new IdDigester(options.idKey);
    this.#at = { rank: 0, words: this.#digester.words, recordedAtMs: 0 };
    this.#seen = options.deduplicate
      ? new SeenIds({ windowMs: options.dedupWindowMs, maxBytes: options.maxDedupBytes })
      : null;
    this.#watermark = new Watermark({
      latenessMs: options.latenessMs,
      maxAdvanceMs: this.#maxAdvanceMs,
      maxStallMs: options.maxStallMs ?? 10_000,
    });
    this.#rankedBy = options.order === 'SEQUENCE' ? 'value' : 'time';
    this.#last = new ReleasedKey(this.#rankedBy);
    this.#buffer = new OrderingBuffer(
      this.#rankedBy,
      this.#rankedBy === 'time' ? bucketUs(options.latenessMs) : numbersOfBucket,
    );
    this.#resumed = options.resumeFrom ?? null;
    this.#rereading = new Rereading(partitionsRead(this.#resumed));
    if (this.#resumed?.key) this.#last.set(this.#resumed.key);
  }

  /** Events that wait for their turn. */
  get held(): number {
    return this.#buffer.held.size + this.#rereading.ahead.length;
  }

  /** The length of their JSON texts. */
  get heldBytes(): number {
    return this.#buffer.held.textLength + this.#rereading.aheadBytes;
  }

  /**
   * In TIMESTAMP order: what is still to come in time has an own time at or after this, in milliseconds
   * since 1970, as of the last `release` that has ended: during one, what it has yet to emit is still to
   * come. `null`: nothing is known yet, or the order is another.
   */
  get watermarkMs(): number | null {
    return this.#watermarkMs;
  }

  /** What is remembered of ids; all 0 without de-duplication. */
  get dedup(): { readonly ids: number; readonly bytes: number; readonly coveredMs: number } {
    const seen = this.#seen;
    return seen === null
      ? { ids: 0, bytes: 0, coveredMs: 0 }
      : { ids: seen.ids, bytes: seen.bytes, coveredMs: seen.coveredMs };
  }

  /** True while a resumed stream is reading again what was below its R; nothing is emitted until then. */
  get rereading(): boolean {
    return this.#rereading.isUnderWay;
  }

  /**
   * Begins to expect records of a partition, from `startOffset` on. All partitions are added before the
   * first record, and those that are created later when they are found.
   */
  addPartition(partition: number, startOffset: number): void {
    const next = this.#resumed?.next.get(partition) ?? startOffset;
    this.#partitions[partition] = {
      id: partition,
      next,
      read: startOffset,
      rereadFrom: this.#resumed?.lowest?.get(partition) ?? startOffset,
    };
    this.#watermark.add(partition, this.#readClock());
    this.#forgetMaps();
    if (startOffset >= next) this.#reread(partition);
  }

  /**
   * Remembers an id that was settled before this stream began, without emitting anything: the warm-up of
   * a new stream. (A resumed one is given the records themselves, from before V.)
   */
  remember(id: string, recordedAtMs: number): void {
    if (this.#seen === null) return;
    this.#digester.digest(id);
    this.#seen.add(this.#digester.words, recordedAtMs);
  }

  /**
   * Remembers all ids of the records that another sequencer of the same topic has read, as settled before this
   * stream began: the warm-up of a stream that begins where the other one stands. To be called before the
   * first record; without de-duplication in both it does nothing.
   */
  rememberAllOf(other: Sequencer): void {
    if (this.#seen === null || other.#seen === null) return;
    this.#seen.copyFrom(other.#seen);
    const seen = this.#seen;
    const words = new Int32Array(4);
    other.#rereading.eachUndecided(words, (recordedAtMs) => seen.add(words, recordedAtMs));
    for (const { id, recordedAtMs } of other.#rereading.ahead) {
      if (id !== null) this.remember(id, recordedAtMs);
    }
  }

  /**
   * Takes the next record of its partition. What is due is emitted by `release`; only what has no
   * place before anything held is emitted at once.
   */
  ingest(event: Event): void {
    const nowMs = this.#now(event.recordedAtMs);
    const partition = this.#partition(event.partition);
    this.#watermark.recorded(event.partition, event.recordedAtMs, nowMs);
    partition.read = event.offset + 1;
    if (this.#rereading.isUnderWay) {
      if (event.offset < partition.next) this.#settle(partition, event);
      else this.#rereading.defer(event);
      if (partition.read >= partition.next) this.#reread(partition.id);
      return;
    }
    this.#accept(partition, event);
  }

  /**
   * The next records of one partition, as `ingest` takes each, and faster: what is remembered of their
   * ids is fetched into the cache for many at once, and not waited for one by one.
   */
  ingestBatch(partition: number, events: readonly Event[]): void {
    for (let from = 0; from < events.length; from += batchLength) {
      const to = Math.min(events.length, from + batchLength);
      if (this.#rereading.isUnderWay) {
        for (let at = from; at < to; at++) this.#ingestAt(events, at);
      } else {
        this.#acceptAll(this.#partition(partition), events, from, to);
      }
    }
  }

  /** Moves R over offsets that hold no event: holes, control records, dead letters. */
  advance(partition: number, nextOffset: number): void {
    const moved = this.#partition(partition);
    this.#watermark.answered(partition, this.#now(0));
    if (nextOffset <= moved.read) return;
    moved.read = nextOffset;
    if (this.#rereading.isUnderWay) {
      if (moved.read >= moved.next) this.#reread(partition);
      return;
    }
    moved.next = nextOffset;
    this.#forgetMaps();
  }

  /** An answer came back to the end of the partition at server time `atMs`. */
  caughtUp(partition: number, atMs: number): void {
    this.#watermark.caughtUp(partition, atMs);
  }

  /** Emits all that is due. Called after each answer, when its records have been ingested. */
  release(): void {
    this.#nowIsFresh = false;
    const nowMs = this.#now(0);
    this.#nowIsFresh = false;
    if (this.#rereading.isUnderWay) return;
    this.#seen?.expire(this.#watermark.reachedByAllMs());
    const watermarkMs = this.#watermark.currentMs(nowMs);
    const buffer = this.#buffer;
    if (this.#order === 'SEQUENCE') {
      for (let head = buffer.head; head !== none; head = buffer.head) {
        if (!this.#isContiguous(head) && !this.#waited(watermarkMs)) break;
        this.#releaseHead(head);
      }
      return;
    }
    // A record that is still to come can have this very time, and a smaller id: so less, not equal.
    const watermarkUs = watermarkMs * 1000;
    for (;;) {
      const head = buffer.headBelow(watermarkUs);
      if (head === none) break;
      this.#releaseHead(head);
    }
    if (this.#order === 'TIMESTAMP' && watermarkMs > (this.#watermarkMs ?? 0)) {
      this.#watermarkMs = watermarkMs;
    }
  }

  /**
   * TIMESTAMP: moves K up to a key, as if something with it had just been released, where that changes nothing: nothing
   * is held, and all partitions are past the time at which something below it could still be recorded in time. (So
   * whoever gave the key can make nothing late that is in time.)
   *
   * @returns false: K stays
   */
  raise(key: OrderKey): boolean {
    if (this.#order !== 'TIMESTAMP' || this.held > 0 || this.#rereading.isUnderWay) return false;
    // Not the watermark: that leaves out partitions that are silent, whose records are to come in order nevertheless.
    const lateBelowMs = this.#watermark.reachedByAllMs() - this.#latenessMs;
    if (key.time >= lateBelowMs * 1_000) return false;
    const own = this.#last.key;
    if (own !== null && compareOrderKeys(key, own) <= 0) return false;
    this.#last.set(key);
    return true;
  }

  /**
   * Partitions that are ahead of the slowest, which is never among them: those that a reader pauses
   * when too much is held. Asking excuses them from answering (see `Watermark.ahead`), so ask after each
   * answer while some are paused.
   */
  partitionsAhead(): number[] {
    if (!this.#rereading.isUnderWay) return this.#watermark.ahead(this.#readClock());
    const ahead: number[] = [];
    for (const partition of this.#partitions) {
      if (partition !== undefined && !this.#rereading.has(partition.id)) ahead.push(partition.id);
    }
    return ahead;
  }

  /** (K, R, V) now: in `emit`, that of the cursor of the event. A snapshot. */
  position(): Position {
    this.#next ??= this.#mapPartitions((partition) => partition.next);
    this.#lowest ??= this.#mapPartitions((partition) => this.#lowestOf(partition));
    return { key: this.#last.key, next: this.#next, lowest: this.#lowest };
  }

  /**
   * In `emit` and `onCopy`: the order key of the event they are called with; `null` of one that has no
   * place in the order.
   */
  keyUnderWay(): OrderKey | null {
    const underWay = this.#underWay;
    if (underWay === 'K') return this.#last.key;
    if (underWay === null || !('kind' in underWay)) return underWay;
    return (this.#underWay = this.#keyAt(underWay));
  }

  #ingestAt(events: readonly Event[], at: number): void {
    const event = events[at];
    if (event !== undefined) this.ingest(event);
  }

  #acceptAll(partition: Partition, events: readonly Event[], from: number, to: number): void {
    const seen = this.#seen;
    const digester = this.#digester;
    const { words } = digester;
    const digests = this.#digests;
    let latestMs = Number.NEGATIVE_INFINITY;
    for (let at = from; at < to; at++) {
      const event = events[at];
      if (event === undefined) continue;
      const { recordedAtMs } = event;
      const nowMs = this.#now(recordedAtMs);
      // The watermark asks for the latest only, and for those from the future each.
      if (recordedAtMs > nowMs + this.#maxAdvanceMs) {
        this.#watermark.recorded(partition.id, recordedAtMs, nowMs);
      } else if (recordedAtMs > latestMs) {
        latestMs = recordedAtMs;
      }
      digester.digest(event.id);
      const digest = (at - from) * 4;
      digests[digest] = words[0] ?? 0;
      digests[digest + 1] = words[1] ?? 0;
      digests[digest + 2] = words[2] ?? 0;
      digests[digest + 3] = words[3] ?? 0;
    }
    if (latestMs > Number.NEGATIVE_INFINITY) {
      this.#watermark.recorded(partition.id, latestMs, this.#nowMs);
    }
    seen?.fetch(digests, to - from);
    this.#buffer.held.fetch(digests, to - from);
    for (let at = from; at < to; at++) {
      const event = events[at];
      if (event === undefined) continue;
      const digest = (at - from) * 4;
      words[0] = digests[digest] ?? 0;
      words[1] = digests[digest + 1] ?? 0;
      words[2] = digests[digest + 2] ?? 0;
      words[3] = digests[digest + 3] ?? 0;
      partition.read = event.offset + 1;
      this.#acceptDigested(partition, event);
    }
  }

  /** Step 1 of the state machine: R moves over a record, which is dropped, emitted or held. */
  #accept(partition: Partition, event: Event): void {
    this.#digester.digest(event.id);
    this.#acceptDigested(partition, event);
  }

  /** The same, when the digest of the event's id is in `#at`. */
  #acceptDigested(partition: Partition, event: Event): void {
    // R first: when the event is emitted, its cursor must have it below R.
    partition.next = event.offset + 1;
    this.#forgetMaps();
    this.counters.received++;
    const placed = this.#findPlace(event);
    const settled = !placed || this.#isSettled(event);
    const identified = this.#seen !== null && event.id !== null;
    if (identified && !this.#isNew()) {
      const held = this.#buffer.held.find(this.#at.words);
      // Not held, so it was emitted: m(x) <= K already. If it is held, its key is m(x) > K.
      this.counters.duplicates++;
      if (held === none) {
        this.#dropped(event, placed);
        return;
      }
      if (!settled) {
        this.#keepSmaller(held, event);
        return;
      }
      // m(x) falls to K or below here: emitted now, and the copy must not come again.
      this.#forget(held);
    }
    if (settled) {
      this.#underWay = placed ? event : null;
      this.#send(event, this.#order !== 'ARRIVAL');
      return;
    }
    this.#buffer.hold(event, this.#at, this.#outOfBounds, identified);
    while (this.#buffer.held.textLength > this.#maxHeldBytes) {
      // As any release: K moves to the smallest key, and the invariant holds; only the order may suffer.
      this.counters.releasedEarly++;
      this.#releaseHead(this.#buffer.head);
    }
  }

  /** Step 2 of the state machine: K moves to the smallest held key, whose event is emitted. */
  #releaseHead(slot: number): void {
    const { held } = this.#buffer;
    const event = held.event(slot);
    const late = held.late(slot);
    // It was held, so m(x) > K. It is the smallest, so nobody else's m lies between: from here on
    // m(x) = K, and no other event has passed.
    this.#last.moveTo(held, slot);
    this.#buffer.removeHead();
    this.#lowest = null;
    this.#underWay = 'K';
    this.#send(event, late);
  }

  #send(event: Event, late: boolean): void {
    this.counters.emitted++;
    if (late) this.counters.late++;
    this.#emit(event, late);
  }

  /** A copy of a held event stays only as its smaller key. */
  #keepSmaller(held: number, event: Event): void {
    const buffer = this.#buffer;
    if (!this.#precedes(held, event)) {
      this.#dropped(event, true);
      return;
    }
    this.#droppedHeld(held);
    buffer.remove(held);
    buffer.hold(event, this.#at, this.#outOfBounds, true);
    this.#lowest = null;
  }

  /** Whether the key of the record under way is smaller than that of a held event. */
  #precedes(held: number, event: Event): boolean {
    const { rank } = this.#at;
    const heldRank = this.#buffer.held.rank(held);
    if (rank !== heldRank) return rank < heldRank;
    return compareOrderKeys(this.#keyAt(event), this.#buffer.key(held)) < 0;
  }

  /** A held copy of what was, or is now, emitted. */
  #forget(held: number): void {
    this.#droppedHeld(held);
    this.#buffer.remove(held);
    this.#lowest = null;
  }

  /** The record under way was dropped as a copy. */
  #dropped(event: Event, placed: boolean): void {
    if (this.#onCopy === undefined) return;
    this.#underWay = placed ? event : null;
    this.#onCopy(event);
  }

  #droppedHeld(held: number): void {
    if (this.#onCopy === undefined) return;
    this.#underWay = this.#buffer.key(held);
    this.#onCopy(this.#buffer.held.event(held));
  }

  /** Remembers the id of the record under way. @returns false: it was known */
  #isNew(): boolean {
    return this.#seen === null || this.#seen.add(this.#at.words, this.#at.recordedAtMs);
  }

  /** Finds the event's place. @returns false: it has none */
  #findPlace(event: Event): boolean {
    const at = this.#at;
    const isFromFuture = this.#isFromFuture(event);
    at.recordedAtMs = isFromFuture ? this.#nowMs : event.recordedAtMs;
    switch (this.#order) {
      case 'ARRIVAL':
        return false;
      case 'SEQUENCE':
        // Rounding a bigint keeps the order up to ties, which the key breaks.
        at.rank = Number(event.sequence ?? 0);
        this.#outOfBounds = false;
        return event.sequence !== null;
      case 'TIMESTAMP':
        at.rank = clampTimeUs(
          event.timestampUs,
          event.recordedAtMs,
          this.#latenessMs,
          this.#maxAdvanceMs,
        );
        this.#outOfBounds = at.rank !== event.timestampUs || !event.timestampReadable;
        // From the future: its key would be reached then only. What is read again is judged by its key
        // alone, as another instance with another clock may have held it: better twice than never.
        return !isFromFuture || this.#rereading.isUnderWay;
    }
  }

  #isFromFuture(event: Event): boolean {
    return event.recordedAtMs > this.#nowMs + this.#maxAdvanceMs;
  }

  /** Whether the key of the record under way is at or below K. */
  #isSettled(event: Event): boolean {
    const { rank } = this.#at;
    if (rank !== this.#last.rank) return rank < this.#last.rank;
    const { key } = this.#last;
    return key !== null && compareOrderKeys(this.#keyAt(event), key) <= 0;
  }

  /** SEQUENCE: whether the head follows the last number released, or repeats it. */
  #isContiguous(slot: number): boolean {
    const last = this.#last.number;
    if (last === undefined) return false;
    const number = this.#buffer.held.event(slot).sequence ?? 0;
    if (typeof number === 'number' && typeof last === 'number' && last < Number.MAX_SAFE_INTEGER) {
      return number - last <= 1;
    }
    return BigInt(number) - BigInt(last) <= 1n;
  }

  /**
   * SEQUENCE: whether some held event has waited for its gap until the watermark. The lowest held offset of
   * each partition stands for all of it: its broker time is the smallest, where brokers set it.
   */
  #waited(watermarkMs: number): boolean {
    const { held } = this.#buffer;
    for (let partition = 0; partition < this.#partitions.length; partition++) {
      const first = held.first(partition);
      if (first !== none && held.recordedAtMs(first) <= watermarkMs) return true;
    }
    return false;
  }

  /** A record below R of a resumed stream: emitted already if its key is at or below K, else held. */
  #settle(partition: Partition, event: Event): void {
    this.#digester.digest(event.id);
    const settled = !this.#findPlace(event) || this.#isSettled(event);
    const seen = this.#seen;
    const words = this.#at.words;
    if (seen === null || event.id === null) {
      if (!settled && event.offset >= partition.rereadFrom) this.#holdAgain(event, false);
      return;
    }
    if (settled) {
      seen.add(words, this.#at.recordedAtMs);
      const held = this.#buffer.held.find(words);
      if (held === none) return;
      // m(x) <= K after all: what was read of x before is a copy that had been dropped.
      this.counters.received--;
      this.#forget(held);
      return;
    }
    if (event.offset < partition.rereadFrom) {
      // Below V nothing is held: x was emitted, or another copy of it, with a smaller key, is held.
      this.#rereading.leaveUndecided(words, this.#at.recordedAtMs);
      this.#dropped(event, true);
      return;
    }
    if (this.#isNew()) {
      this.#holdAgain(event, true);
      return;
    }
    const held = this.#buffer.held.find(words);
    if (held === none) this.#dropped(event, true);
    else this.#keepSmaller(held, event);
  }

  #holdAgain(event: Event, identified: boolean): void {
    this.counters.received++;
    this.#buffer.hold(event, this.#at, this.#outOfBounds, identified);
  }

  /** A partition of a resumed stream has come to its R. After the last one the stream goes on. */
  #reread(partition: number): void {
    const rereading = this.#rereading;
    if (!rereading.end(partition)) return;
    const { words } = this.#digester;
    rereading.eachUndecided(words, (recordedAtMs) => this.#seen?.add(words, recordedAtMs));
    rereading.forgetUndecided();
    if (this.#order === 'TIMESTAMP') this.#sendFromFuture();
    for (const event of rereading.takeAhead())
      this.#accept(this.#partition(event.partition), event);
    for (const partition of this.#partitions) {
      if (partition !== undefined && partition.read > partition.next)
        partition.next = partition.read;
    }
    this.#forgetMaps();
  }

  /** Emits what was held again although its place is in the future. */
  #sendFromFuture(): void {
    const { held } = this.#buffer;
    for (let partition = 0; partition < this.#partitions.length; partition++) {
      let slot = held.first(partition);
      while (slot !== none) {
        const event = held.event(slot);
        const after = held.after(slot);
        if (this.#isFromFuture(event)) {
          this.#buffer.remove(slot);
          this.#lowest = null;
          this.#underWay = null;
          this.#send(event, true);
        }
        slot = after;
      }
    }
  }

  #partition(id: number): Partition {
    const partition = this.#partitions[id];
    if (partition === undefined) throw new RangeError(`Partition ${id} was not added`);
    return partition;
  }

  /** The clock is read once for each answer, and whenever a record says that it is later. */
  #now(recordedAtMs: number): number {
    if (!this.#nowIsFresh || recordedAtMs > this.#nowMs) {
      this.#readClock();
      this.#nowIsFresh = true;
    }
    return this.#nowMs;
  }

  #readClock(): number {
    const nowMs = this.#clock.now();
    if (nowMs < this.#nowMs) this.#watermark.setBack(this.#nowMs - nowMs);
    this.#nowMs = nowMs;
    return nowMs;
  }

  /** The key of the record under way. */
  #keyAt(event: Event): OrderKey {
    return keyOf(this.#rankedBy, this.#at.rank, this.#at.words, event);
  }

  #lowestOf(partition: Partition): number {
    if (this.#rereading.isUnderWay) return Math.min(partition.rereadFrom, partition.next);
    const { held } = this.#buffer;
    const first = held.first(partition.id);
    return first === none ? partition.next : held.event(first).offset;
  }

  #forgetMaps(): void {
    this.#next = null;
    this.#lowest = null;
  }

  #mapPartitions(offset: (partition: Partition) => number): Map<number, number> {
    const offsets = new Map<number, number>();
    for (const partition of this.#partitions) {
      if (partition !== undefined) offsets.set(partition.id, offset(partition));
    }
    return offsets;
  }
}
