import type { Duplex } from 'node:stream';
import { CloseCode, MessageType, type WebSocket as ProtocolSocket } from 'graphql-ws';
import type { RawData, WebSocket } from 'ws';
import type { Principal } from '../../auth/principal.ts';
import type { RevocationListener } from '../../auth/revocation.ts';
import type { Clock, Timer } from '../../core/clock.ts';
import { errorTable, type MillraceError } from '../../core/errors.ts';
import { closeReason } from '../close-reason.ts';
import { type OpenConnection, restarting } from '../open-connections.ts';
import { Outbox, type OutboxConnection, type OutboxOwner } from '../outbox.ts';
import type { Allowance } from '../allowance/allowances.ts';
import type { Outgoing } from '../outgoing.ts';
import { rawText } from '../websocket/raw-text.ts';
import { OperationIds } from './operation-ids.ts';

export interface SocketConnectionOptions extends Outgoing {
  /** Told of each error that ends a connection. */
  readonly onRefused?: ((error: MillraceError) => void) | undefined;
}

/** A subscription that is delivered on the connection: see `SocketDelivery`. */
export interface Delivered extends OutboxOwner {
  /** The client is not interested any more. */
  leave(): void;
}

/** Longest id that a client may give an operation, in characters. */
const maxIdLength = 128;
/**
 * Most answers that may wait for a client before nothing more is read from it. A pong has a few bytes, and takes a hundred
 * times as much while it waits.
 */
const mostUntaken = 256;

/**
 * One client's socket, between ws and graphql-ws. Each operation goes by an id of our own with
 * graphql-ws, until it is done or, as a subscription, is delivered by us.
 */
export class SocketConnection
  implements ProtocolSocket, OutboxConnection, OpenConnection, RevocationListener
{
  readonly socket: WebSocket;
  readonly stream: Duplex;
  /** The client has negotiated compression. Not asked for anew for each message: ws would write a text each time. */
  readonly compresses: boolean;
  /**
   * How many other operations were begun and are not done. Not those that the client has not completed:
   * a query goes on after its client has lost interest.
   */
  running = 0;
  /** How many answers wait for the client to take them. */
  #untaken = 0;
  /** Nothing is read from it until it has taken them. */
  #restsForAnswers = false;
  #url: string | undefined;
  #principal: Principal | undefined;
  #giveBack: (() => void) | undefined;
  #allowance: Allowance | undefined;
  #initTimer: Timer | undefined;
  readonly #options: SocketConnectionOptions;
  // A connection that is only held open has none of these.
  #outbox: Outbox | undefined;
  #ids: OperationIds | undefined;
  /** Subscriptions by the client's id. */
  #deliveries: Map<string, Delivered> | undefined;

  /** @param url that it was opened with: it may hold a token */
  constructor(
    socket: WebSocket,
    stream: Duplex,
    options: SocketConnectionOptions,
    url: string | undefined,
  ) {
    this.#url = url;
    this.socket = socket;
    this.stream = stream;
    this.compresses = socket.extensions.includes('permessage-deflate');
    this.#options = options;
    options.connections.add(this);
  }

  get transport(): 'graphql-ws' {
    return 'graphql-ws';
  }

  get projectId(): string | undefined {
    return this.#principal?.projectId;
  }

  get backlogBytes(): number {
    // What queries are answered goes past the outbox.
    return Math.max(this.#outbox?.backlogBytes ?? 0, this.socket.bufferedAmount);
  }

  get outbox(): Outbox {
    if (this.#outbox === undefined) {
      this.#outbox = new Outbox(this, this.#options);
      // Only who has been let in is sent anything by it.
      if (this.#allowance !== undefined) this.#outbox.useBudget(this.#allowance.budget);
    }
    return this.#outbox;
  }

  get ids(): OperationIds {
    this.#ids ??= new OperationIds();
    return this.#ids;
  }

  get protocol(): string {
    return this.socket.protocol;
  }

  get isOpen(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  /** Operations that count against the limit. */
  get operations(): number {
    return this.running + (this.#deliveries?.size ?? 0);
  }

  /** It carries no more than one subscription. */
  get isForOne(): boolean {
    return this.#deliveries?.size === 1;
  }

  /** Who the client is; undefined: it has not been let in. */
  get principal(): Principal | undefined {
    return this.#principal;
  }

  /** The URL that it was opened with, once: it is not kept for as long as the connection lives. */
  takeUrl(): string | undefined {
    const url = this.#url;
    this.#url = undefined;
    return url;
  }

  /** Closes the socket unless the client is let in within so many milliseconds. */
  expectInit(clock: Clock, withinMs: number): void {
    this.#initTimer = clock.schedule(withinMs, () => {
      const code = CloseCode.ConnectionInitialisationTimeout;
      this.close(code, 'Connection initialisation timeout');
    });
  }

  /**
   * Lets the client in, for as long as its key holds.
   *
   * @throws {MillraceError} `LIMIT_EXCEEDED`: its project has too many connections
   */
  admit(principal: Principal): void {
    this.#allowance = this.#options.allowances.take(principal.projectId);
    this.#initTimer?.cancel();
    this.#initTimer = undefined;
    this.#giveBack = principal.retain();
    this.#principal = principal;
    principal.revoked.watch(this);
  }

  /** @throws {MillraceError} `LIMIT_EXCEEDED`: the last answers to its project were too large */
  assertAffordable(): void {
    this.#allowance?.assertAffordable();
  }

  /** Its key has been revoked. */
  onRevoked(reason: MillraceError): void {
    this.refuse(reason);
  }

  refuse(error: MillraceError): void {
    this.#options.onRefused?.(error);
    this.close(errorTable[error.code].closeCode, error.message);
  }

  addDelivery(clientId: string, delivery: Delivered): void {
    (this.#deliveries ??= new Map()).set(clientId, delivery);
  }

  removeDelivery(clientId: string): void {
    this.#deliveries?.delete(clientId);
  }

  /** A message of graphql-ws: goes out with the client's id, unless the client has completed the operation. */
  send(text: string): void {
    const message = this.#toClient(text);
    if (message !== undefined) this.write(message);
  }

  /** Sends a message after all that is due. */
  write(text: string, taken?: () => void): void {
    if (!this.isOpen) {
      taken?.();
      return;
    }
    this.#outbox?.flushAll();
    this.#allowance?.budget.spend(text.length);
    this.#untaken += 1;
    // An error is that of a socket that is gone.
    this.socket.send(text, () => {
      this.#untaken -= 1;
      if (this.#untaken === 0 && this.#restsForAnswers) {
        this.#restsForAnswers = false;
        this.socket.resume();
      }
      taken?.();
    });
  }

  goAway(): void {
    this.#outbox?.flushAll();
    this.close(restarting.code, restarting.reason);
  }

  close(code?: number, reason = ''): void {
    this.socket.close(code, closeReason(reason));
  }

  onMessage(handle: (text: string) => Promise<void>): void {
    this.socket.on('message', (data: RawData) => {
      // Nothing is begun any more for a client whose socket is being closed.
      if (!this.isOpen) return;
      this.#restWhileUntaken();
      const text = this.#toServer(rawText(data));
      // What `handle` is given to do never fails but by a fault of ours.
      if (text !== undefined)
        void handle(text).catch(() => this.close(CloseCode.InternalServerError));
    });
  }

  onSlow(): void {
    this.#options.onSlow('moved');
  }

  /** The socket has closed: gives up all that it had. */
  leaveAll(closeCode: number): void {
    this.#options.connections.remove(this, closeCode);
    this.#initTimer?.cancel();
    this.#principal?.revoked.unwatch(this);
    this.#giveBack?.();
    this.#giveBack = undefined;
    this.#allowance?.giveBack();
    this.#allowance = undefined;
    for (const delivery of this.#deliveries?.values() ?? []) delivery.leave();
    this.#deliveries = undefined;
  }

  /**
   * Reads nothing more from a client that does not take what it is answered: each message would add to that.
   * What it has been answered counts by number as well. Such a client is noticed when it has taken nothing for the stall timeout.
   */
  #restWhileUntaken(): void {
    if (this.socket.isPaused) return;
    if (this.#untaken > mostUntaken) {
      this.#restsForAnswers = true;
      this.socket.pause();
    } else if (this.stream.writableLength > this.#options.maxQueuedBytes) {
      this.socket.pause();
      this.stream.once('drain', () => this.socket.resume());
    }
  }

  /** A client's message for graphql-ws, with our id for its operation; undefined: it is not for it. */
  #toServer(text: string): string | undefined {
    const message = parseObject(text);
    const { type, id: clientId } = message ?? {};
    switch (type) {
      case MessageType.ConnectionAck:
      case MessageType.Next:
      case MessageType.Error: {
        // graphql-ws would take it for a fault of the server.
        this.close(CloseCode.BadRequest, `messages of type ${type} are the server's`);
        return undefined;
      }
      case MessageType.Subscribe: {
        if (typeof clientId !== 'string' || clientId === '') return text;
        if (clientId.length > maxIdLength) {
          this.close(CloseCode.BadRequest, `an operation's id may have ${maxIdLength} characters`);
          return undefined;
        }
        const own = this.#deliveries?.has(clientId) === true ? undefined : this.ids.open(clientId);
        if (own !== undefined) return JSON.stringify({ ...message, id: own });
        this.close(CloseCode.SubscriberAlreadyExists, `Subscriber for ${clientId} already exists`);
        return undefined;
      }
      case MessageType.Complete: {
        if (typeof clientId !== 'string' || clientId === '') return text;
        const delivery = this.#deliveries?.get(clientId);
        if (delivery !== undefined) {
          this.removeDelivery(clientId);
          delivery.leave();
          // The client may use the id again: it must not get what is left of this one.
          this.#outbox?.forget(delivery);
          return undefined;
        }
        const own = this.ids.closeByClient(clientId);
        return own === undefined ? undefined : JSON.stringify({ ...message, id: own });
      }
      default:
        return text;
    }
  }

  /**
   * The messages with an id that come this way, `error` and `complete`, end their operations; undefined:
   * it has been completed by the client, or is no longer graphql-ws's.
   */
  #toClient(text: string): string | undefined {
    const message = parseObject(text);
    if (message === undefined || typeof message['id'] !== 'string') return text;
    const clientId = this.ids.closeByServer(message['id']);
    return clientId === undefined ? undefined : JSON.stringify({ ...message, id: clientId });
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : undefined;
  } catch {
    // Not JSON: graphql-ws refuses it in the protocol's own words.
    return undefined;
  }
}
