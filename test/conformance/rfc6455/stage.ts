import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { opcodes } from './frame.ts';
import { type Handshake, type HandshakeOptions, type RawClient, shakeHands } from './raw-client.ts';

/** What serves WebSockets. */
export interface WebSocketEndpoint {
  readonly name: string;
  readonly path: string;
  readonly protocol: string;
  /** The first message of a right client, with characters of several bytes … */
  readonly message: string;
  /** … and what the server answers. */
  readonly answer: RegExp;
}

/** The largest message that the server takes. */
export const maxMessageBytes = 65_536;

/** A running server, as a case sees it. */
export class Stage {
  readonly endpoint: WebSocketEndpoint;
  readonly #url: string;

  constructor(url: string, endpoint: WebSocketEndpoint) {
    this.#url = url;
    this.endpoint = endpoint;
  }

  /** A right handshake but for these headers. */
  shakeHands(
    t: TestContext,
    headers: HandshakeOptions['headers'] = {},
    method = 'GET',
  ): Promise<Handshake> {
    const { path, protocol } = this.endpoint;
    return shakeHands(t, {
      url: this.#url,
      path,
      method,
      headers: { 'sec-websocket-protocol': protocol, ...headers },
    });
  }

  async connect(t: TestContext, headers: HandshakeOptions['headers'] = {}): Promise<RawClient> {
    const { status, client } = await this.shakeHands(t, headers);
    assert.equal(status, 101);
    return client;
  }

  /** The client's message has been understood. */
  async assertAnswered(client: RawClient): Promise<void> {
    const frame = await client.nextOf(opcodes.text);
    assert.match(frame.payload.toString(), this.endpoint.answer);
    assert.equal(frame.isMasked, false);
    assert.equal(frame.fin, true);
  }
}

/** What every endpoint must do; its title begins with the section of the RFC. */
export interface Case {
  readonly title: string;
  readonly play: (t: TestContext, stage: Stage) => Promise<void>;
}
