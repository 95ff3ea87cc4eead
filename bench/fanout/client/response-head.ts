const blankLine = '\r\n\r\n';

export interface Head {
  readonly status: number;
  /** The header lines, in lower case. */
  readonly headers: string;
  /** What came behind it in the same read. */
  readonly rest: Buffer;
}

/** Puts the head of an HTTP response together. */
export class ResponseHead {
  #bytes = Buffer.alloc(0);

  /** The head, as soon as it is all there; else null. */
  take(chunk: Buffer): Head | null {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    const end = this.#bytes.indexOf(blankLine);
    if (end === -1) return null;
    const text = this.#bytes.toString('latin1', 0, end);
    return {
      status: Number(text.split(' ', 2)[1]),
      headers: text.toLowerCase(),
      rest: this.#bytes.subarray(end + blankLine.length),
    };
  }
}
