import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { type RequestHead, showsCredentials } from '../../auth/authorization.ts';
import type { Principal } from '../../auth/principal.ts';
import type { Clock, Timer } from '../../core/clock.ts';
import { errorTable, MillraceError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';
import type { StreamPosition } from '../../hub/cursor/stream-position.ts';
import type { Message } from '../../hub/message.ts';
import type { Parcel } from '../../hub/parcel.ts';
import type { Subscriber } from '../../hub/subscriber.ts';
import { closeReason } from '../close-reason.ts';
import type { Heartbeat } from '../heartbeat.ts';
import { type OpenConnection, restarting } from '../open-connections.ts';
import { Outbox, type OutboxConnection, type OutboxOwner } from '../outbox.ts';
import type { Allowance } from '../allowance/allowances.ts';
import type { Outgoing } from '../outgoing.ts';
import { rawText } from '../websocket/raw-text.ts';
import { aliveText, errorText, readyText } from './message-text.ts';
import { type CloseCode, subprotocol } from './protocol.ts';
import type { FeedAddress } from './request.ts';
import { type SocketFrames, textFrame } from './socket-frames.ts';
import type { Source, Subscribe } from './source.ts';

export interface FeedSocketOptions extends Outgoing {
  /** Lets a client in by what its handshake shows; rejects with a `MillraceError`. */
  readonly authenticateRequest: (request: RequestHead) => Promise<Principal>;
  /** Lets a client in by the fields of its `auth` message; rejects with a `MillraceError`. */
  readonly authenticateMessage: (fields: unknown) => Promise<Principal>;
  readonly subscribe: Subscribe;
  readonly frames: SocketFrames;
  /** What a client may see of an error. */
  readonly shown: (error: unknown) => MillraceError;
  readonly clock: Clock;
  readonly heartbeat: Heartbeat;
  /** Milliseconds from opening the socket to its being authenticated. */
  readonly initTimeoutMs: number;
}

const aliveFrame = textFrame(aliveText);

/** One client of a plain feed over WebSocket: a socket that is let in once, with one subscription. */
export class FeedSocket
  implements OutboxConnection, OutboxOwner, OpenConnection, Subscriber<Message>
{
  readonly stream: Duplex;
  /** All clients get the very same bytes. */
  readonly mark = undefined;
  /** The client has negotiated compression. */
  readonly compresses: boolean;
  readonly #socket: WebSocket;
  readonly #options: FeedSocketOptions;
  readonly #outbox: Outbox;
  /** What is subscribed to once the client has sent its `auth`; undefined: it must send nothing. */
  #awaiting: FeedAddress | undefined;
  #initTimer: Timer | undefined;
  #stopBeating: (() => void) | undefined;
  /** Something was sent since the last beat. */
  #hasSpoken = true;
  #projectId: string | undefined;
  #allowance: Allowance | undefined;
  #subscription: Source | undefined;

  constructor(socket: WebSocket, stream: Duplex, options: FeedSocketOptions) {
    this.stream = stream;
    this.compresses = socket.extensions.includes('permessage-deflate');
    this.#socket = socket;
    this.#options = options;
    this.#outbox = new Outbox(this, options);
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    options.connections.add(this);
    socket.on('close', (code) => {
      options.connections.remove(this, code);
      this.#leave();
    });
  }

  /** @param request the handshake: if it shows no credentials, the client is to send `auth` */
  begin(request: RequestHead, address: FeedAddress): void {
    if (this.#socket.protocol !== subprotocol) {
      this.#fail(violation(`a feed speaks the subprotocol ${subprotocol}: offer it`), 4406);
      return;
    }
    const { clock, initTimeoutMs } = this.#options;
    this.#initTimer = clock.schedule(initTimeoutMs, () => this.#fail(tooLate(initTimeoutMs), 4408));
    if (!showsCredentials(request)) this.#awaiting = address;
    else void this.#enter(() => this.#options.authenticateRequest(request), address);
  }

  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN;
  }

  get transport(): 'feed-ws' {
    return 'feed-ws';
  }

  get projectId(): string | undefined {
    return this.#projectId;
  }

  get backlogBytes(): number {
    return this.#outbox.backlogBytes;
  }

  deliver(parcel: Parcel): void {
    this.#hasSpoken = true;
    try {
      this.#outbox.send(this.#options.frames.of(parcel, this.compresses), this, parcel.before);
    } catch (error) {
      // What cannot be written cannot be left out either.
      this.#fail(error);
    }
  }

  lost(before: StreamPosition): void {
    this.#subscription?.fellBehind(before);
  }

  whenTaken(taken: () => void): void {
    this.#outbox.whenTaken(taken);
  }

  end(error: Error | undefined): void {
    if (error === undefined) this.goAway();
    else this.#fail(error);
  }

  goAway(): void {
    if (!this.isOpen) return;
    this.#outbox.flushAll();
    this.#socket.close(restarting.code, restarting.reason);
  }

  onSlow(): void {
    this.#options.onSlow('moved');
  }

  /** A browser does not show its page the server's pings. */
  #beat(): void {
    // What has been said may still wait.
    if (!this.#hasSpoken || this.#outbox.waitsForBudget) this.#outbox.push(aliveFrame);
    this.#hasSpoken = false;
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (!this.isOpen) return;
    const address = this.#awaiting;
    if (address === undefined) {
      this.#fail(violation('a client that has sent its credentials has nothing more to send'));
      return;
    }
    this.#awaiting = undefined;
    const fields = isBinary ? undefined : authFields(rawText(data));
    if (fields === undefined) {
      this.#fail(violation('the first message must be {"type":"auth", ...}'));
      return;
    }
    void this.#enter(() => this.#options.authenticateMessage(fields), address);
  }

  async #enter(authenticate: () => Promise<Principal>, address: FeedAddress): Promise<void> {
    try {
      const principal = await authenticate();
      this.#initTimer?.cancel();
      this.#projectId = principal.projectId;
      // Gone meanwhile: no `close` would ever come to end a subscription.
      if (!this.isOpen) return;
      this.#allowance = this.#options.allowances.take(principal.projectId);
      this.#outbox.useBudget(this.#allowance.budget);
      const subscription = await this.#options.subscribe(principal, address);
      if (!this.isOpen) {
        subscription.leave();
        return;
      }
      this.#subscription = subscription;
      this.#outbox.push(textFrame(readyText(subscription.startCursor)));
      this.#stopBeating = this.#options.heartbeat.add(() => this.#beat());
      subscription.attach(this);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Tells the client why, and closes. @param closeCode @default that of the error's code */
  #fail(error: unknown, closeCode?: CloseCode): void {
    this.#leave();
    const shown = this.#options.shown(error);
    if (!this.isOpen) return;
    this.#outbox.flushAll();
    this.#socket.send(errorText(shown));
    const code: CloseCode = closeCode ?? errorTable[shown.code].closeCode;
    this.#socket.close(code, closeReason(shown.message));
  }

  #leave(): void {
    this.#initTimer?.cancel();
    this.#stopBeating?.();
    this.#awaiting = undefined;
    this.#subscription?.leave();
    this.#subscription = undefined;
    this.#allowance?.giveBack();
    this.#allowance = undefined;
  }
}

function authFields(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const message: unknown = JSON.parse(text);
    return isObject(message) && message['type'] === 'auth' ? message : undefined;
  } catch {
    // Not JSON.
    return undefined;
  }
}

function violation(message: string): MillraceError {
  return new MillraceError('BAD_USER_INPUT', message);
}

function tooLate(withinMs: number): MillraceError {
  const message = `not authenticated within ${withinMs} ms (limits.initTimeout)`;
  return new MillraceError('UNAUTHENTICATED', message);
}
