/** For smaller answers no memory is kept: Node has it at hand. */
const smallBytes = 32 * 1024;
/** Nor for larger ones, which are seldom. */
const largeBytes = 4 * 1024 * 1024;
/** A room that is larger by more than this is not used again. */
const mostTimesLarger = 8;

const none = Buffer.alloc(0);

/**
 * Memory for the answers on one connection: two rooms, used in turn while answers are of some size. **Invariant: an
 * answer stays as it is until the second one after it begins.** That is what a reader needs that hands one over while
 * the next comes. (A login that is renewed in between brings two small answers or more: they use no room, and the next
 * answer gets a new one.) Who reads hundreds of megabytes a second so allocates nothing outside of the heap, where each 64 MB
 * would make the garbage collector go through the whole of it; who reads little keeps nothing.
 */
export class AnswerRooms {
  #last: Buffer = none;
  #former: Buffer = none;

  /** Room for exactly so many bytes. What is in it is left from an answer before. */
  take(bytes: number): Buffer {
    const isKept = bytes > smallBytes && bytes <= largeBytes;
    const room: Buffer = isKept ? this.#reuse(bytes) : none;
    this.#former = this.#last;
    this.#last = room;
    return isKept ? room.subarray(0, bytes) : Buffer.allocUnsafe(bytes);
  }

  #reuse(bytes: number): Buffer {
    const room = this.#former;
    if (room.length >= bytes && room.length <= bytes * mostTimesLarger) return room;
    return Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(bytes)));
  }
}
