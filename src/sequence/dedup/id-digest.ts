import { ChaskeyMac, permute } from './chaskey.ts';

/** Bytes of the secret that ids are digested with. */
export const idKeyBytes = 32;

/** A function is asked at the first digest: the key may not be known before. */
export type IdKeySource = Uint8Array | (() => Uint8Array);

/** The value of a hexadecimal digit by its character code; -1: none, or an upper-case one. */
const hexDigits = new Int8Array(128).fill(-1);
for (let value = 0; value < 16; value++) hexDigits[value.toString(16).charCodeAt(0)] = value;

/** What a key is made into. */
interface Keyed {
  readonly mac: ChaskeyMac;
  readonly whitening: Int32Array;
}

function keyedBy(key: Uint8Array): Keyed {
  if (key.length !== idKeyBytes) {
    throw new RangeError(`The id key has ${key.length} bytes, not ${idKeyBytes}`);
  }
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  const words = Int32Array.from({ length: 8 }, (_, word) => view.getInt32(4 * word, true));
  return { mac: new ChaskeyMac(words.subarray(0, 4)), whitening: words.subarray(4, 8) };
}

/**
 * Turns an event's id into 128 bits that stand for it, under a secret key.
 *
 * **Exact for the common ids**: 24 lower-case hexadecimal digits (96 bits) and lower-case UUIDs of the
 * RFC 9562 variant (128 bits, of which two are fixed) are packed without loss. Every other text takes
 * 126 bits of its Chaskey-12 MAC: two of ten million such ids collide with probability 6e-25.
 *
 * **The kinds never collide**: the two topmost bits of the third word are 10 in a UUID (its variant),
 * 00 in a packed 24-digit id, and 11 in a MAC.
 *
 * **Ids come from outside**, and a table indexed by their plain bits could be flooded. So the packed
 * block goes through a keyed permutation (Even-Mansour over the Chaskey-12 permutation): being a
 * bijection it keeps exactness, and without the key all its bits look random. Any of them may serve to
 * choose a slot of a table.
 */
export class IdDigester {
  /** The digest of the last id given to `digest`. */
  readonly words = new Int32Array(4);
  readonly #key: IdKeySource;
  #keyed: Keyed | undefined;
  #word = 0;

  /**
   * @param key a secret of 32 bytes, the same on all instances: digests break ties of the order and
   *   stand in cursors
   * @throws {RangeError} when the key has another length; if it is asked for later, from `digest`
   */
  constructor(key: IdKeySource) {
    this.#key = key;
    if (typeof key !== 'function') this.#keyed = keyedBy(key);
  }

  /** Writes the digest of `id` to `words`; of `null`, zeros. */
  digest(id: string | null): void {
    const words = this.words;
    if (id === null) {
      words.fill(0);
      return;
    }
    const { mac, whitening } = (this.#keyed ??= keyedBy(
      typeof this.#key === 'function' ? this.#key() : this.#key,
    ));
    if (!(id.length === 24 ? this.#packHex(id) : id.length === 36 && this.#packUuid(id))) {
      mac.write(id, words);
      words[2] = (words[2] ?? 0) | 0xc0000000;
    }
    for (let word = 0; word < 4; word++) words[word] = (words[word] ?? 0) ^ (whitening[word] ?? 0);
    permute(words);
    for (let word = 0; word < 4; word++) words[word] = (words[word] ?? 0) ^ (whitening[word] ?? 0);
  }

  #packHex(id: string): boolean {
    const words = this.words;
    let right = this.#read(id, 0, 8);
    words[0] = this.#word;
    right = right && this.#read(id, 8, 16);
    words[1] = this.#word;
    words[2] = 0;
    right = right && this.#read(id, 16, 24);
    words[3] = this.#word;
    return right;
  }

  #packUuid(id: string): boolean {
    const dash = 0x2d;
    if (
      id.charCodeAt(8) !== dash ||
      id.charCodeAt(13) !== dash ||
      id.charCodeAt(18) !== dash ||
      id.charCodeAt(23) !== dash
    ) {
      return false;
    }
    const words = this.words;
    let right = this.#read(id, 0, 8);
    words[0] = this.#word;
    right = right && this.#read(id, 9, 13);
    const middle = this.#word << 16;
    right = right && this.#read(id, 14, 18);
    words[1] = middle | this.#word;
    right = right && this.#read(id, 19, 23);
    const variant = this.#word << 16;
    right = right && this.#read(id, 24, 28);
    words[2] = variant | this.#word;
    right = right && this.#read(id, 28, 36);
    words[3] = this.#word;
    return right && variant >>> 30 === 0b10;
  }

  /** Reads at most 8 hexadecimal digits into `#word`; false when one of them is none. */
  #read(text: string, from: number, to: number): boolean {
    let word = 0;
    let wrong = 0;
    for (let at = from; at < to; at++) {
      const code = text.charCodeAt(at);
      const digit = hexDigits[code & 127] ?? -1;
      wrong |= digit | (code & ~127);
      word = (word << 4) | (digit & 15);
    }
    this.#word = word;
    // A digit of -1 has its sign set; a code beyond ASCII its bits above the seventh.
    return (wrong & ~15) === 0;
  }
}
