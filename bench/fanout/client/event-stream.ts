const nothing = Buffer.alloc(0);

/** `bytes` from `start` to before `end`, valid during the call. */
type OnBytes = (bytes: Buffer, start: number, end: number) => void;

/** Takes the chunked coding of HTTP/1.1 away; what it hands over are pieces, cut anywhere. */
export class ChunkedParser {
  readonly #onBytes: OnBytes;
  /** Bytes of the current chunk that have not come yet, with the line break behind them. */
  #left = 0;
  /** The beginning of a size line whose end has not come. */
  #line = nothing;

  constructor(onBytes: OnBytes) {
    this.#onBytes = onBytes;
  }

  take(chunk: Buffer): void {
    const bytes = this.#line.length === 0 ? chunk : Buffer.concat([this.#line, chunk]);
    this.#line = nothing;
    let at = 0;
    while (at < bytes.length) {
      if (this.#left === 0) {
        const lineEnd = bytes.indexOf('\r\n', at);
        if (lineEnd === -1) {
          this.#line = Buffer.from(bytes.subarray(at));
          return;
        }
        this.#left = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16) + 2;
        at = lineEnd + 2;
        continue;
      }
      const end = Math.min(bytes.length, at + this.#left);
      // The last two are the line break.
      const dataEnd = Math.min(end, at + this.#left - 2);
      if (dataEnd > at) this.#onBytes(bytes, at, dataEnd);
      this.#left -= end - at;
      at = end;
    }
  }
}

/**
 * Cuts a `text/event-stream` into its messages, which end in a blank line; comments are messages too.
 * Of a server that ends its lines with LF alone.
 */
export class EventStreamParser {
  readonly #onMessage: OnBytes;
  #rest: Buffer = nothing;

  constructor(onMessage: OnBytes) {
    this.#onMessage = onMessage;
  }

  take(piece: Buffer, start: number, end: number): void {
    const part = piece.subarray(start, end);
    const bytes = this.#rest.length === 0 ? part : Buffer.concat([this.#rest, part]);
    let at = 0;
    while (true) {
      const messageEnd = bytes.indexOf('\n\n', at);
      if (messageEnd === -1) break;
      this.#onMessage(bytes, at, messageEnd);
      at = messageEnd + 2;
    }
    this.#rest = at === bytes.length ? nothing : Buffer.from(bytes.subarray(at));
  }
}
