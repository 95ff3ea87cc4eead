import { scalarEnd } from './json-scalar.ts';

/** Texts with more scalars than this have no shape: it would take longer to learn than to scan. */
export const mostScalars = 128;

/**
 * All of a JSON text but its scalars: the brackets, commas, colons, blanks and keys between them. The
 * records of a topic mostly have one shape, or few. To see that a text is of a known one takes half as
 * long as to scan it: of what is not a scalar, bytes need only be compared.
 *
 * What matches is valid: one scalar for another, whatever their kinds, leaves a valid text valid. Empty
 * containers and all that is nested belong to the shape, so a text with one element more has another.
 *
 * The idea is that of Mison (Y. Li et al., "Mison: A Fast JSON Parser for Data Analytics", VLDB 2017).
 */
export class JsonShape {
  /** What stands between the scalars, one piece after the other. */
  readonly #pieces: Uint8Array;
  /** Where each piece ends; one more than there are scalars. */
  readonly #pieceEnds: Int32Array;
  /** By target: the number of its scalar; `container`, `absent`. */
  readonly #scalarOfTarget: Int32Array;
  /** Of the text that was matched last. */
  readonly #starts: Int32Array;
  readonly #ends: Int32Array;

  /**
   * @param json a valid text
   * @param scalars start and end of each scalar in turn, keys left out
   * @param count how many numbers that are
   * @param starts by target, where its value starts; below 0: there is none
   * @param ends where it ends; of a container, where it starts
   */
  constructor(
    json: Uint8Array,
    scalars: Int32Array,
    count: number,
    starts: Int32Array,
    ends: Int32Array,
  ) {
    const scalarCount = count / 2;
    this.#pieces = new Uint8Array(json.length);
    this.#pieceEnds = new Int32Array(scalarCount + 1);
    this.#starts = new Int32Array(scalarCount);
    this.#ends = new Int32Array(scalarCount);
    this.#scalarOfTarget = starts.map((start, target) => {
      if (start < 0) return absent;
      return start === ends[target] ? container : scalars.subarray(0, count).indexOf(start) / 2;
    });
    let at = 0;
    let length = 0;
    for (let scalar = 0; scalar <= scalarCount; scalar++) {
      const end = scalar < scalarCount ? (scalars[scalar * 2] ?? 0) : json.length;
      this.#pieces.set(json.subarray(at, end), length);
      length += end - at;
      this.#pieceEnds[scalar] = length;
      at = scalars[scalar * 2 + 1] ?? 0;
    }
  }

  /**
   * Whether a text is of this shape, and so valid. If it is, says where its targets' values are, as they
   * were given to the constructor.
   */
  matches(json: Uint8Array, starts: Int32Array, ends: Int32Array): boolean {
    const pieces = this.#pieces;
    const pieceEnds = this.#pieceEnds;
    const scalars = this.#starts.length;
    let at = 0;
    let piece = 0;
    for (let scalar = 0; ; scalar++) {
      const pieceEnd = pieceEnds[scalar] ?? 0;
      if (at + pieceEnd - piece > json.length) return false;
      while (piece < pieceEnd) {
        if (json[at] !== pieces[piece]) return false;
        at += 1;
        piece += 1;
      }
      if (scalar === scalars) break;
      const end = scalarEnd(json, at);
      if (end < 0) return false;
      this.#starts[scalar] = at;
      this.#ends[scalar] = end;
      at = end;
    }
    if (at !== json.length) return false;
    this.#locate(starts, ends);
    return true;
  }

  #locate(starts: Int32Array, ends: Int32Array): void {
    const scalarOfTarget = this.#scalarOfTarget;
    for (let target = 0; target < scalarOfTarget.length; target++) {
      const scalar = scalarOfTarget[target] ?? absent;
      starts[target] =
        scalar === absent ? -1 : scalar === container ? 0 : (this.#starts[scalar] ?? 0);
      ends[target] = scalar < 0 ? 0 : (this.#ends[scalar] ?? 0);
    }
  }
}

const absent = -1;
const container = -2;
