/** Bytes of the length that stands before each answer. */
const prefixBytes = 4;
/** So much memory an answer is given because it says that it is long; more only as it comes. */
const believedBytes = 8 * 1024 * 1024;

/**
 * Cuts what a broker sends into whole answers, each put together where it will stay. kafkajs itself would keep the
 * pieces and join them: that takes the memory of each answer twice, and memory outside of the heap makes the garbage
 * collector run, too.
 */
export class AnswerAssembler {
  readonly #roomFor: (bytes: number) => Buffer;
  readonly #onAnswer: (answer: Buffer) => void;
  readonly #prefix = Buffer.alloc(prefixBytes);
  /** Where the answer under way is put together; `null`: its length has not come yet. */
  #room: Buffer | null = null;
  /** Its length, that of its prefix included. */
  #length = 0;
  /** Bytes of it that have come. */
  #filled = 0;

  /**
   * @param roomFor memory for so many bytes, exactly
   * @param onAnswer called with each answer, its prefix included
   */
  constructor(roomFor: (bytes: number) => Buffer, onAnswer: (answer: Buffer) => void) {
    this.#roomFor = roomFor;
    this.#onAnswer = onAnswer;
  }

  /** The next bytes, which are copied. @throws {Error} if no broker can have sent them */
  take(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      at = this.#room === null ? this.#takePrefix(bytes, at) : this.#fill(this.#room, bytes, at);
    }
  }

  #takePrefix(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.length && this.#filled < prefixBytes) {
      this.#prefix[this.#filled] = bytes[at] ?? 0;
      this.#filled += 1;
      at += 1;
    }
    if (this.#filled < prefixBytes) return at;
    const length = this.#prefix.readInt32BE(0);
    if (length <= 0) throw new Error(`an answer of ${length} bytes: this is no Kafka broker`);
    this.#length = prefixBytes + length;
    this.#room = this.#roomFor(Math.min(this.#length, believedBytes));
    this.#room.set(this.#prefix);
    return at;
  }

  #fill(room: Buffer, bytes: Uint8Array, from: number): number {
    const end = Math.min(bytes.length, from + room.length - this.#filled);
    room.set(bytes.subarray(from, end), this.#filled);
    this.#filled += end - from;
    if (this.#filled === this.#length) {
      this.#room = null;
      this.#filled = 0;
      this.#onAnswer(room);
    } else if (this.#filled === room.length) {
      const larger = this.#roomFor(Math.min(this.#length, room.length * 2));
      larger.set(room);
      this.#room = larger;
    }
    return end;
  }
}
