import type { ServerResponse } from 'node:http';
import { MillraceError } from '../core/errors.ts';
import type { Heartbeat } from './heartbeat.ts';
import type { OpenConnection, OpenConnections } from './open-connections.ts';
import { Outbox, type OutboxConnection } from './outbox.ts';
import type { Outgoing } from './outgoing.ts';
import type { FramesContent } from './sent.ts';
import { SharedFrames } from './shared-frames.ts';

export interface EventStreamOptions extends Outgoing {
  readonly heartbeat: Heartbeat;
}

/** What of an event stream depends on who asked for it. */
export interface EventStreamUse {
  readonly transport: 'graphql-sse' | 'feed-sse';
  readonly projectId: string;
  /** Called once, when the client is gone or the stream has ended. */
  readonly onClose: () => void;
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
  readonly transport: EventStreamUse['transport'];
  readonly projectId: string;
  readonly division: Division;
  readonly outbox: Outbox;
  readonly #response: ServerResponse;
  readonly #connections: OpenConnections;
  readonly #stopBeating: () => void;

  /**
   * @throws {MillraceError} `BAD_USER_INPUT`: the connection is still busy with another response;
   * `LIMIT_EXCEEDED`: the project has too many connections
   */
  constructor(
    response: ServerResponse,
    options: EventStreamOptions,
    { transport, projectId, onClose }: EventStreamUse,
  ) {
    const { socket } = response;
    // Only of requests that are sent behind another one that is not yet answered.
    if (socket === null) {
      const message =
        'a stream of events must not be asked for behind a request that is not answered yet';
      throw new MillraceError('BAD_USER_INPUT', message);
    }
    const allowance = options.allowances.take(projectId);
    this.#response = response;
    this.#connections = options.connections;
    this.transport = transport;
    this.projectId = projectId;
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
      onSlow: () => options.onSlow('moved'),
    };
    this.outbox = new Outbox(connection, options);
    this.outbox.useBudget(allowance.budget);
    this.#stopBeating = options.heartbeat.add(() => this.outbox.push(comment[this.division]));
    this.outbox.push(comment[this.division]);
    options.connections.add(this);
    response.once('close', () => {
      options.connections.remove(this);
      allowance.giveBack();
      this.#stopBeating();
      onClose();
    });
  }

  get backlogBytes(): number {
    return this.outbox.backlogBytes;
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
export function eventFrames(
  events: string | Buffer,
  division: Division,
  content?: FramesContent,
): SharedFrames {
  const bytes = Buffer.from(events);
  if (division === 'by the end') return new SharedFrames(bytes, [], content);
  // RFC 9112, section 7.1.
  const size = Buffer.from(`${bytes.length.toString(16)}\r\n`);
  return new SharedFrames(Buffer.concat([size, bytes, Buffer.from('\r\n')]), [], content);
}

/** A text as the data of an event: a line break in JSON is white space, and a blank does as well. */
export function oneLine(text: Buffer): Buffer {
  if (!text.includes(0x0a) && !text.includes(0x0d)) return text;
  return Buffer.from(text.toString().replaceAll(/[\r\n]/g, ' '));
}
