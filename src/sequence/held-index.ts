/**
 * Finds a held event by the digest of its id: open addressing over slot numbers, a power of two, at
 * most half full. Digests look random (`IdDigester`), so any of their bits choose a place.
 */
export class HeldIndex {
  /** The digests, four words a slot. Owned by the buffer, which may replace it by a larger one. */
  #digests: Int32Array;
  /** Slot + 1; 0: free. */
  #places = new Int32Array(64);
  #size = 0;

  constructor(digests: Int32Array) {
    this.#digests = digests;
  }

  /** The buffer has grown. */
  moveTo(digests: Int32Array): void {
    this.#digests = digests;
  }

  /** @returns the slot, or -1 */
  find(words: Int32Array): number {
    const places = this.#places;
    const digests = this.#digests;
    const mask = places.length - 1;
    const w1 = words[1] ?? 0;
    let place = w1 & mask;
    for (let held = places[place] ?? 0; held !== 0; held = places[place] ?? 0) {
      const at = (held - 1) * 4;
      if (
        digests[at + 1] === w1 &&
        digests[at] === words[0] &&
        digests[at + 2] === words[2] &&
        digests[at + 3] === words[3]
      ) {
        return held - 1;
      }
      place = (place + 1) & mask;
    }
    return -1;
  }

  /** The slot's digest must not be in the index yet. */
  add(slot: number): void {
    if ((this.#size + 1) * 2 > this.#places.length) this.#grow();
    this.#size++;
    this.#put(slot + 1);
  }

  remove(slot: number): void {
    const places = this.#places;
    const mask = places.length - 1;
    let place = this.#home(slot + 1);
    while (places[place] !== slot + 1) place = (place + 1) & mask;
    this.#size--;
    // Backward shift (Knuth, TAOCP 3, 6.4, Algorithm R): no tombstones are left behind.
    let next = (place + 1) & mask;
    for (let held = places[next] ?? 0; held !== 0; held = places[next] ?? 0) {
      const away = (next - this.#home(held)) & mask;
      if (away >= ((next - place) & mask)) {
        places[place] = held;
        place = next;
      }
      next = (next + 1) & mask;
    }
    places[place] = 0;
  }

  #home(held: number): number {
    return (this.#digests[(held - 1) * 4 + 1] ?? 0) & (this.#places.length - 1);
  }

  #put(held: number): void {
    const places = this.#places;
    const mask = places.length - 1;
    let place = this.#home(held);
    while (places[place] !== 0) place = (place + 1) & mask;
    places[place] = held;
  }

  #grow(): void {
    const former = this.#places;
    this.#places = new Int32Array(former.length * 2);
    for (const held of former) if (held !== 0) this.#put(held);
  }
}
