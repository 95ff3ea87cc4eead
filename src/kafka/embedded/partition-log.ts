import type { EpochStart, RawRecord, UnreadableRange } from '../port.ts';

/** Bytes that a record takes beside its key and value. */
const recordOverheadBytes = 100;

/** What one read takes out of a partition. */
export interface LogSlice {
  readonly records: readonly RawRecord[];
  readonly unreadable: readonly UnreadableRange[];
  readonly nextOffset: number;
  readonly bytes: number;
}

/** The records of one partition, oldest first. Offsets rise and may have holes. */
export class PartitionLog {
  readonly id: number;
  /** Records before `#head` are dropped; their places are given back from time to time. */
  #records: RawRecord[] = [];
  #head = 0;
  #unreadable: UnreadableRange[] = [];
  /** Of each leader that wrote something, the first offset that it wrote. */
  #epochs: EpochStart[] = [];
  #epoch = 0;
  #startOffset = 0;
  #endOffset = 0;
  #bytes = 0;
  /** False: the partition has no leader. */
  available = true;
  /** Where a transaction that has not ended begins; `null`: there is none. */
  openFrom: number | null = null;

  constructor(id: number) {
    this.id = id;
  }

  get startOffset(): number {
    return this.#startOffset;
  }

  get endOffset(): number {
    return this.#endOffset;
  }

  /** End of what may be read: the last stable offset. */
  get stableOffset(): number {
    return this.openFrom ?? this.#endOffset;
  }

  /** Records held. */
  get length(): number {
    return this.#records.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  append(record: Omit<RawRecord, 'offset'>): number {
    const offset = this.#endOffset;
    if (this.#epochs.at(-1)?.epoch !== this.#epoch) {
      this.#epochs.push({ from: offset, epoch: this.#epoch });
    }
    const stored = { offset, ...record };
    this.#records.push(stored);
    this.#bytes += sizeOf(stored);
    this.#endOffset = offset + 1;
    return offset;
  }

  /** Takes up offsets without records: control records, an aborted transaction, compaction. */
  appendHole(count: number): void {
    this.#endOffset += count;
  }

  /** Takes up offsets whose records no client can take out of their batch. */
  appendUnreadable(count: number, reason: string): void {
    const from = this.#endOffset;
    this.#endOffset += count;
    this.#unreadable.push({ from, to: this.#endOffset, reason });
  }

  /** Drops what is below `offset`, as retention does. */
  deleteBefore(offset: number): void {
    const start = Math.min(Math.max(offset, this.#startOffset), this.#endOffset);
    const head = this.#indexOf(start);
    for (let i = this.#head; i < head; i++) this.#bytes -= sizeOf(this.#at(i));
    this.#head = head;
    this.#startOffset = start;
    this.#unreadable = this.#unreadable.filter((range) => range.to > start);
    if (this.#head > this.#records.length / 2) {
      this.#records = this.#records.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Drops the oldest record. */
  dropOldest(): void {
    const oldest = this.#records[this.#head];
    if (oldest) this.deleteBefore(oldest.offset + 1);
  }

  /** Drops what is at and above `offset`, as a cluster that loses records does. */
  truncate(offset: number): void {
    const end = Math.max(offset, this.#startOffset);
    for (let i = this.#indexOf(end); i < this.#records.length; i++) {
      this.#bytes -= sizeOf(this.#at(i));
    }
    this.#records.length = this.#indexOf(end);
    this.#unreadable = this.#unreadable.filter((range) => range.from < end);
    this.#endOffset = end;
    this.#epochs = this.#epochs.filter(({ from }) => from < end);
    this.electLeader();
  }

  /** What is appended from now on is another leader's. */
  electLeader(): void {
    this.#epoch += 1;
  }

  /** Where what leaders up to this epoch wrote ends. */
  endOfEpoch(epoch: number): number {
    return this.#epochs.find((start) => start.epoch > epoch)?.from ?? this.#endOffset;
  }

  /** Where other leaders began to write in what lies between two offsets, and who had written its first record. */
  epochsIn(from: number, to: number): EpochStart[] {
    if (from >= to) return [];
    const first = this.#epochs.findLast((start) => start.from <= from);
    const later = this.#epochs.filter((start) => start.from > from && start.from < to);
    return first === undefined ? later : [{ from, epoch: first.epoch }, ...later];
  }

  /**
   * What lies from `offset`, which must be within the log, in at most `maxBytes`.
   *
   * @param atLeastOne lets a first record through that is larger than `maxBytes`
   */
  read(offset: number, maxBytes: number, atLeastOne: boolean): LogSlice {
    const records: RawRecord[] = [];
    let bytes = 0;
    const stableIndex = this.#indexOf(this.stableOffset);
    let nextOffset = Math.max(offset, this.stableOffset);
    for (let i = this.#indexOf(offset); i < stableIndex; i++) {
      const record = this.#at(i);
      const size = sizeOf(record);
      if (bytes + size > maxBytes && !(atLeastOne && records.length === 0)) {
        nextOffset = (records.at(-1)?.offset ?? offset - 1) + 1;
        break;
      }
      bytes += size;
      records.push(record);
    }
    const unreadable = this.#unreadable
      .filter((range) => range.to > offset && range.to <= nextOffset)
      .map(({ from, to, reason }) => ({ from: Math.max(from, offset), to, reason }));
    return { records, unreadable, nextOffset, bytes };
  }

  /** Of the first record at or after that time; the end of what may be read if there is none. */
  offsetForTime(timestampMs: number): number {
    const stableIndex = this.#indexOf(this.stableOffset);
    for (let i = this.#head; i < stableIndex; i++) {
      const record = this.#at(i);
      if (record.timestampMs >= timestampMs) return record.offset;
    }
    return this.stableOffset;
  }

  /** Index of the first record at or above `offset` (binary search). */
  #indexOf(offset: number): number {
    let low = this.#head;
    let high = this.#records.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#at(middle).offset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #at(index: number): RawRecord {
    const record = this.#records[index];
    if (!record) throw new RangeError(`no record at index ${index}`);
    return record;
  }
}

function sizeOf(record: RawRecord): number {
  return (record.key?.length ?? 0) + (record.value?.length ?? 0) + recordOverheadBytes;
}
