import type { ServerResponse } from 'node:http';
import { MillraceError } from '../core/errors.ts';
import type { Heartbeat } from './heartbeat.ts';
import { Outbox, type OutboxConnection, type OutboxSettings } from './outbox.ts';
import type { OpenConnection, OpenConnections } from './open-connections.ts';
import { SharedFrames } from './shared-frames.ts';

export interface EventStreamOptions extends OutboxSettings {
  readonly heartbeat: Heartbeat;
  /** Told of each client that was too slow: its connection is cut. */
  readonly onSlow: () => void;
  /** Where it is found when the server stops. */
  readonly connections: OpenConnections;
}

/** How the response is divided: into chunks, or by its end only, for clients of HTTP/1.0. */
export type Division = 'chunked' | 'by the end';

/** A comment: keeps the connection alive, and makes some browsers see that the response has begun. */
const comment = {
  chunked: eventFrames(':\n\n', 'chunked'),
  'by the end': eventFrames(':\n\n', 'by the end'),
};

/**
 * A response that is a stream of server-sent events. Its bytes go to the socket past the response, in
 * frames that many responses share; what is sent is what the response would have made of them.
 */
export class EventStream implements OpenConnection {
  readonly division: Division;
  readonly outbox: Outbox;
  readonly #response: ServerResponse;
  readonly #connections: OpenConnections;
  readonly #stopBeating: () => void;

  /**
   * @param onClose called once, when the client is gone or the stream has ended
   * @throws {MillraceError} `BAD_USER_INPUT`: the connection is still busy with another response
   */
  constructor(response: ServerResponse, options: EventStreamOptions, onClose: () => void) {
    const { socket } = response;
    // Only of requests that are sent behind another one that is not yet answered.
    if (socket === null) {
      const message =
        'a stream of events must not be asked for behind a request that is not answered yet';
      throw new MillraceError('BAD_USER_INPUT', message);
    }
    this.#response = response;
    this.#connections = options.connections;
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
    });
    response.flushHeaders();
    this.division = response.chunkedEncoding ? 'chunked' : 'by the end';
    const connection: OutboxConnection = {
      stream: socket,
      get isOpen() {
        return !response.writableEnded && !socket.destroyed;
      },
      onSlow: options.onSlow,
      cutSlow: () => {
        options.onSlow();
        response.destroy();
      },
    };
    this.outbox = new Outbox(connection, options);
    this.#stopBeating = options.heartbeat.add(() => this.outbox.push(comment[this.division]));
    this.outbox.push(comment[this.division]);
    options.connections.add(this);
    response.once('close', () => {
      options.connections.remove(this);
      this.#stopBeating();
      onClose();
    });
  }

  /** Without a last event: that would tell the client that there is nothing more to come. */
  goAway(): void {
    this.end(`retry: ${this.#connections.pickRetryMs()}\n\n`);
  }

  /** Ends the response, with these last words if there are any. */
  end(text: string): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    if (text !== '') this.outbox.push(eventFrames(text, this.division));
    this.outbox.flushAll();
    this.#response.end();
  }
}

/** Events as they are sent. */
export function eventFrames(events: string | Buffer, division: Division): SharedFrames {
  const bytes = Buffer.from(events);
  if (division === 'by the end') return new SharedFrames(bytes);
  // RFC 9112, section 7.1.
  const size = Buffer.from(`${bytes.length.toString(16)}\r\n`);
  return new SharedFrames(Buffer.concat([size, bytes, Buffer.from('\r\n')]));
}

/** A text as the data of an event: a line break in JSON is white space, and a blank does as well. */
export function oneLine(text: Buffer): Buffer {
  if (!text.includes(0x0a) && !text.includes(0x0d)) return text;
  return Buffer.from(text.toString().replaceAll(/[\r\n]/g, ' '));
}
