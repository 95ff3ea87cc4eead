import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { encodeFrame, type Frame, opcodes, type SentFrame } from './frame.ts';

export interface HandshakeOptions {
  /** Where the server is: `http://127.0.0.1:4000`. */
  readonly url: string;
  readonly path: string;
  /** In place of those of a right handshake, by lower-case names; undefined: left out. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** @default GET */
  readonly method?: string;
}

/** What the server answered to a handshake. */
export interface Handshake {
  readonly status: number;
  /** By lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  /** The key that was sent. */
  readonly key: string;
  readonly client: RawClient;
}

/** Asks for a WebSocket over a socket of its own, gone with the test. */
export async function shakeHands(t: TestContext, options: HandshakeOptions): Promise<Handshake> {
  const { url, path, method = 'GET' } = options;
  const { hostname, port, host } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  t.after(() => socket.destroy());
  const key = randomBytes(16).toString('base64');
  const headers = {
    host,
    upgrade: 'websocket',
    connection: 'Upgrade',
    'sec-websocket-key': key,
    'sec-websocket-version': '13',
    ...options.headers,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  socket.write([`${method} ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n'));
  const client = new RawClient(socket);
  const [statusLine = '', ...answered] = (await client.head()).split('\r\n');
  return {
    status: Number(statusLine.split(' ', 2)[1]),
    headers: new Map(
      answered.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
    ),
    key,
    client,
  };
}

/** A client that sends what it is told to, and shows every frame that comes. */
export class RawClient {
  readonly #socket: Socket;
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#chunks = socket[Symbol.asyncIterator]();
  }

  send(...frames: readonly SentFrame[]): void {
    this.sendBytes(Buffer.concat(frames.map(encodeFrame)));
  }

  sendBytes(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** The head of an HTTP response, without the empty line. */
  async head(): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf('\r\n\r\n');
      if (end >= 0) {
        const head = this.#rest.subarray(0, end).toString('latin1');
        this.#rest = this.#rest.subarray(end + 4);
        return head;
      }
      if (!(await this.#read())) throw new Error('the connection ended within the handshake');
    }
  }

  /** The next frame; undefined: the connection has ended, between frames. */
  async next(): Promise<Frame | undefined> {
    if (!(await this.#has(2))) {
      if (this.#rest.length > 0) throw new Error('the connection ended within a frame');
      return undefined;
    }
    const [first = 0, second = 0] = this.#rest;
    let [length, headBytes] = [second & 0x7f, 2];
    if (length === 126) {
      headBytes = 4;
      await this.#need(headBytes);
      length = this.#rest.readUInt16BE(2);
    } else if (length === 127) {
      headBytes = 10;
      await this.#need(headBytes);
      length = Number(this.#rest.readBigUInt64BE(2));
    }
    await this.#need(headBytes + length);
    const payload = this.#rest.subarray(headBytes, headBytes + length);
    this.#rest = this.#rest.subarray(headBytes + length);
    return {
      fin: (first & 0x80) !== 0,
      rsv: (first >> 4) & 7,
      opcode: first & 0xf,
      isMasked: (second & 0x80) !== 0,
      payload,
    };
  }

  /** The next frame of that opcode; others before it are left out. */
  async nextOf(opcode: number): Promise<Frame> {
    for (;;) {
      const frame = await this.next();
      if (frame === undefined) throw new Error(`the connection ended before a frame ${opcode}`);
      if (frame.opcode === opcode) return frame;
    }
  }

  /**
   * With which code the server closes, once it has ended the connection; undefined: it said none. The
   * client closes as well, as it has to.
   */
  async closed(): Promise<number | undefined> {
    let code: number | undefined;
    for (;;) {
      const frame = await this.next();
      if (frame === undefined) return code;
      if (frame.opcode !== opcodes.close) continue;
      this.send({ opcode: opcodes.close, payload: frame.payload });
      if (frame.payload.length >= 2) code = frame.payload.readUInt16BE();
    }
  }

  async #need(bytes: number): Promise<void> {
    if (!(await this.#has(bytes))) throw new Error('the connection ended within a frame');
  }

  async #has(bytes: number): Promise<boolean> {
    while (this.#rest.length < bytes) if (!(await this.#read())) return false;
    return true;
  }

  async #read(): Promise<boolean> {
    const { done, value } = await this.#chunks.next().catch(endOfReset);
    if (done === true) return false;
    this.#rest = Buffer.concat([this.#rest, value]);
    return true;
  }
}

/** A server that has failed the connection may reset it. */
function endOfReset(error: unknown): IteratorResult<Buffer> {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'ECONNRESET' && code !== 'EPIPE') throw error;
  return { done: true, value: undefined };
}
