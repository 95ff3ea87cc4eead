import type { Duplex } from 'node:stream';
import { type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql';
import { CloseCode, makeServer, MessageType, type SubscribePayload } from 'graphql-ws';
import type { RawData, WebSocket } from 'ws';
import type { Principal } from '../../auth/principal.ts';
import type { Clock } from '../../core/clock.ts';
import { errorTable, MillraceError } from '../../core/errors.ts';
import type { Logger } from '../../observe/logger.ts';
import { slowSubscriber } from '../../hub/subscription.ts';
import { closeReason } from '../close-reason.ts';
import { Outbox } from '../outbox.ts';
import type { TurnEnd } from '../turn-end.ts';
import type { GraphqlContext } from './context.ts';
import { type GraphqlEngine, isErrors, isSubscribed } from './engine.ts';
import { stringifyResult } from './json-text.ts';
import { NextFrames } from './next-frames.ts';
import { OperationIds } from './operation-ids.ts';
import type { Selection } from './selection.ts';
import { Delivery, type SocketConnection } from './socket-delivery.ts';

export interface GraphqlWebSocketOptions {
  readonly engine: GraphqlEngine;
  /** Lets a client in by the payload of its `connection_init`; rejects with a `MillraceError`. */
  readonly authenticate: (payload: unknown) => Promise<Principal>;
  readonly contextOf: (principal: Principal) => GraphqlContext;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds from opening the socket to its being authenticated. */
  readonly initTimeoutMs: number;
  readonly maxSubscriptions: number;
  readonly turnEnd: TurnEnd;
  /** Bytes that may wait for a client that takes nothing; past that it is closed with 1013. */
  readonly maxQueuedBytes: number;
  /** Told of each client that was too slow. */
  readonly onSlow: () => void;
}

/** Whose operation it is. */
interface OperationContext {
  readonly connection: SocketConnection;
  readonly operationId: string;
}

/** Longest id that a client may give an operation, in characters. */
const maxIdLength = 128;

/**
 * GraphQL over WebSocket, protocol graphql-transport-ws. graphql-ws keeps the protocol (init, ping,
 * complete, close codes); results do not pass through it. Those of subscriptions come from the hub in
 * frames that all subscribers of a selection share.
 */
export function createGraphqlWebSocket(
  options: GraphqlWebSocketOptions,
): (socket: WebSocket, stream: Duplex) => void {
  const { engine, logger } = options;
  const contexts = new WeakMap<ExecutionArgs, OperationContext>();
  const frames = new WeakMap<Selection, NextFrames>();

  const server = makeServer<Record<string, unknown>, SocketConnection>({
    connectionInitWaitTimeout: 0,
    onConnect: async ({ connectionParams, extra: connection }) => {
      try {
        admit(connection, await options.authenticate(connectionParams));
        return true;
      } catch (error) {
        refuse(connection.socket, error);
        return false;
      }
    },
    onSubscribe: ({ extra: connection }, operationId, payload) =>
      prepare(connection, operationId, payload),
    execute: async (args: ExecutionArgs) => {
      const { connection, operationId } = contextOf(args);
      try {
        await sendResult(connection, operationId, await engine.execute(args));
        return nothing();
      } finally {
        connection.running.delete(operationId);
      }
    },
    subscribe: async (args: ExecutionArgs) => {
      const { connection, operationId } = contextOf(args);
      try {
        const outcome = await engine.subscribe(args);
        if (isSubscribed(outcome)) {
          const { subscription, selection } = outcome;
          return new Delivery(connection, operationId, subscription, {
            frames: framesOf(selection),
            context: () => resolverContextOf(connection),
          });
        }
        connection.running.delete(operationId);
        return refused(outcome.errors ?? []);
      } catch (error) {
        connection.running.delete(operationId);
        throw error;
      }
    },
    onError: (_context, _id, _payload, errors) => errors.flatMap(shownOf),
  });

  /** graphql-ws wraps what was thrown; the client gets what it was thrown for, masked. */
  function shownOf(error: GraphQLError): ReturnType<GraphQLError['toJSON']>[] {
    const { originalError } = error;
    if (originalError instanceof RefusedOperation) {
      return originalError.errors.map((refusal) => refusal.toJSON());
    }
    return [engine.mask(originalError ?? error).toJSON()];
  }

  function framesOf(selection: Selection): NextFrames {
    let made = frames.get(selection);
    if (made === undefined) {
      made = new NextFrames(selection);
      frames.set(selection, made);
    }
    return made;
  }

  function resolverContextOf({ principal }: SocketConnection): GraphqlContext {
    if (principal === undefined) throw new Error('an operation before the connection was let in');
    return options.contextOf(principal);
  }

  function contextOf(args: ExecutionArgs): OperationContext {
    const context = contexts.get(args);
    if (context === undefined) throw new Error('an operation without its context');
    return context;
  }

  function prepare(
    connection: SocketConnection,
    operationId: string,
    payload: SubscribePayload,
  ): ExecutionArgs | readonly GraphQLError[] {
    const { running } = connection;
    const graphql = resolverContextOf(connection);
    if (running.size >= options.maxSubscriptions) {
      return [tooManySubscriptions(options.maxSubscriptions)];
    }
    const operation = engine.operation(payload, graphql);
    if (isErrors(operation)) return operation;
    contexts.set(operation.args, { connection, operationId });
    // From here on graphql-ws executes it, whatever happens to the connection.
    running.add(operationId);
    return operation.args;
  }

  function admit(connection: SocketConnection, principal: Principal): void {
    // Gone while its login was asked about: no `close` would ever come to give the principal back.
    if (connection.socket.readyState !== connection.socket.OPEN) return;
    const stopWatching = principal.retain();
    connection.principal = principal;
    const unwatch = principal.revoked.watch((reason) => refuse(connection.socket, reason));
    connection.socket.once('close', () => {
      unwatch();
      stopWatching();
    });
  }

  function refuse(socket: WebSocket, error: unknown): void {
    if (error instanceof MillraceError) {
      socket.close(errorTable[error.code].closeCode, closeReason(error.message));
      return;
    }
    logger.error({ err: error }, 'unexpected fault while letting a client in');
    socket.close(CloseCode.InternalServerError, errorTable.INTERNAL.summary);
  }

  return function serve(socket, stream) {
    const connection: SocketConnection = {
      socket,
      outbox: new Outbox({
        stream,
        isOpen: () => socket.readyState === socket.OPEN,
        turnEnd: options.turnEnd,
        maxQueuedBytes: options.maxQueuedBytes,
        onOverflow: () => {
          options.onSlow();
          socket.close(1013, closeReason(slowSubscriber(options.maxQueuedBytes).message));
        },
      }),
      compresses: socket.extensions.includes('permessage-deflate'),
      ids: new OperationIds(),
      running: new Set(),
      principal: undefined,
    };
    const initTimer = options.clock.schedule(options.initTimeoutMs, () => {
      if (connection.principal !== undefined) return;
      socket.close(CloseCode.ConnectionInitialisationTimeout, 'Connection initialisation timeout');
    });
    const closed = server.opened(
      {
        protocol: socket.protocol,
        send: (text) => {
          const message = toClient(connection.ids, text);
          if (message === undefined || socket.readyState !== socket.OPEN) return;
          connection.outbox.flushAll();
          socket.send(message);
        },
        close: (code, reason) => socket.close(code, closeReason(reason ?? '')),
        onMessage: (handle) => {
          socket.on('message', (data: RawData) => {
            const text = toServer(connection, textOf(data));
            if (text === undefined) return;
            handle(text).catch((error: unknown) => refuse(socket, error));
          });
        },
      },
      connection,
    );
    socket.once('close', (code, reason) => {
      initTimer.cancel();
      closed(code, String(reason)).catch((error: unknown) => {
        logger.error({ err: error }, 'unexpected fault while cleaning up after a client');
      });
    });
  };
}

/** The errors of an operation that was refused before it began. */
class RefusedOperation extends Error {
  readonly errors: readonly GraphQLError[];

  constructor(errors: readonly GraphQLError[]) {
    super('refused');
    this.errors = errors;
  }
}

function tooManySubscriptions(max: number): GraphQLError {
  const limit = 'limits.subscriptionsPerConnection';
  return new GraphQLError(`this connection already has ${max} operations (${limit})`, {
    extensions: { code: 'LIMIT_EXCEEDED', limit },
  });
}

function nothing(): AsyncIterableIterator<never> {
  return endingWith(() => Promise.resolve({ done: true, value: undefined }));
}

/** graphql-ws tells the client with an `error` message, which is final. */
function refused(errors: readonly GraphQLError[]): AsyncIterableIterator<never> {
  return endingWith(() => Promise.reject(new RefusedOperation(errors)));
}

function endingWith(next: () => Promise<IteratorResult<never>>): AsyncIterableIterator<never> {
  return {
    next,
    return: () => Promise.resolve({ done: true, value: undefined }),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** A `next` message, if the client still wants it; resolves when the socket has taken it. */
async function sendResult(
  { ids, socket }: SocketConnection,
  operationId: string,
  result: ExecutionResult,
): Promise<void> {
  const clientId = ids.clientIdOf(operationId);
  if (clientId === undefined || socket.readyState !== socket.OPEN) return;
  const text = `{"id":${JSON.stringify(clientId)},"type":"next","payload":${stringifyResult(result)}}`;
  const { promise, resolve } = Promise.withResolvers<void>();
  // An error is that of a socket that is gone.
  socket.send(text, () => resolve());
  await promise;
}

/** A client's message with our id for its operation; undefined: the socket was closed over it. */
function toServer({ ids, socket }: SocketConnection, text: string): string | undefined {
  const message = parseObject(text);
  if (message === undefined || typeof message['id'] !== 'string') return text;
  const clientId = message['id'];
  switch (message['type']) {
    case MessageType.Subscribe: {
      if (clientId.length > maxIdLength) {
        socket.close(CloseCode.BadRequest, `an operation's id may have ${maxIdLength} characters`);
        return undefined;
      }
      const own = clientId === '' ? '' : ids.open(clientId);
      if (own !== undefined) return JSON.stringify({ ...message, id: own });
      const reason = closeReason(`Subscriber for ${clientId} already exists`);
      socket.close(CloseCode.SubscriberAlreadyExists, reason);
      return undefined;
    }
    case MessageType.Complete: {
      const own = ids.closeByClient(clientId);
      return own === undefined ? undefined : JSON.stringify({ ...message, id: own });
    }
    default:
      return text;
  }
}

/**
 * A message of graphql-ws with the client's id; undefined: the client has completed the operation. The
 * messages with an id that come this way, `error` and `complete`, end their operations (see `frames`).
 */
function toClient(ids: OperationIds, text: string): string | undefined {
  const message = parseObject(text);
  if (message === undefined || typeof message['id'] !== 'string') return text;
  const clientId = ids.closeByServer(message['id']);
  return clientId === undefined ? undefined : JSON.stringify({ ...message, id: clientId });
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString();
  return Buffer.isBuffer(data) ? data.toString() : Buffer.from(data).toString();
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
