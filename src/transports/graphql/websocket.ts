import type { Duplex } from 'node:stream';
import { type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql';
import { CloseCode, makeServer, MessageType, type SubscribePayload } from 'graphql-ws';
import type { RawData, WebSocket } from 'ws';
import type { Principal } from '../../auth/principal.ts';
import type { Clock } from '../../core/clock.ts';
import { errorTable, MillraceError } from '../../core/errors.ts';
import type { Logger } from '../../observe/logger.ts';
import { closeReason } from '../close-reason.ts';
import { Outbox } from '../outbox.ts';
import type { GraphqlContext } from './context.ts';
import { type GraphqlEngine, isErrors, type ResultBatches } from './engine.ts';
import { stringifyResult } from './json-text.ts';
import { OperationIds } from './operation-ids.ts';

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
}

/** One client's socket. */
interface Connection {
  readonly socket: WebSocket;
  readonly outbox: Outbox;
  readonly ids: OperationIds;
  /**
   * Our ids of the operations that were begun and are not done. Not those that the client has not
   * completed: a query goes on after its client has lost interest.
   */
  readonly running: Set<string>;
  principal: Principal | undefined;
}

/** The context of one operation: what the resolvers need, and where its results go. */
interface OperationContext {
  readonly graphql: GraphqlContext;
  readonly connection: Connection;
  readonly operationId: string;
}

/** Longest id that a client may give an operation, in characters. */
const maxIdLength = 128;

/**
 * GraphQL over WebSocket, protocol graphql-transport-ws. graphql-ws keeps the protocol (init, ping,
 * complete, close codes); results do not pass through it but are written as they are executed, a
 * batch in one write.
 */
export function createGraphqlWebSocket(
  options: GraphqlWebSocketOptions,
): (socket: WebSocket, stream: Duplex) => void {
  const { engine, logger } = options;
  const contexts = new WeakMap<ExecutionArgs, OperationContext>();

  const server = makeServer<Record<string, unknown>, Connection>({
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
        const result = await engine.execute(args);
        await connection.outbox.sendAll(frames(connection, operationId, [() => result]));
        return nothing();
      } finally {
        connection.running.delete(operationId);
      }
    },
    subscribe: async (args: ExecutionArgs) => {
      const { connection, operationId } = contextOf(args);
      try {
        const results = await engine.subscribe(args);
        if (Symbol.asyncIterator in results) return deliver(connection, operationId, results);
        connection.running.delete(operationId);
        return refused(results.errors ?? []);
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

  function contextOf(args: ExecutionArgs): OperationContext {
    const context = contexts.get(args);
    if (context === undefined) throw new Error('an operation without its context');
    return context;
  }

  function prepare(
    connection: Connection,
    operationId: string,
    payload: SubscribePayload,
  ): ExecutionArgs | readonly GraphQLError[] {
    const { principal, running } = connection;
    if (principal === undefined) throw new Error('an operation before the connection was let in');
    if (running.size >= options.maxSubscriptions) {
      return [tooManySubscriptions(options.maxSubscriptions)];
    }
    const graphql = options.contextOf(principal);
    const operation = engine.operation(payload, graphql);
    if (isErrors(operation)) return operation;
    contexts.set(operation.args, { graphql, connection, operationId });
    // From here on graphql-ws executes it, whatever happens to the connection.
    running.add(operationId);
    return operation.args;
  }

  function admit(connection: Connection, principal: Principal): void {
    // Gone while its login was asked about: no `close` would ever come to give the principal back.
    if (connection.socket.readyState !== connection.socket.OPEN) return;
    const stopWatching = principal.retain();
    connection.principal = principal;
    const revoke = (): void => refuse(connection.socket, principal.revoked.reason);
    principal.revoked.addEventListener('abort', revoke, { once: true });
    connection.socket.once('close', () => {
      principal.revoked.removeEventListener('abort', revoke);
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
    const connection: Connection = {
      socket,
      outbox: new Outbox(socket, stream),
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
          if (message !== undefined) connection.outbox.send(message);
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

/** What graphql-ws iterates over: no results, only the end, since results are written here. */
function deliver(
  connection: Connection,
  operationId: string,
  batches: ResultBatches,
): AsyncIterableIterator<never> {
  const { outbox, running } = connection;
  const stop = async (): Promise<void> => {
    running.delete(operationId);
    await batches.return?.();
  };
  return {
    async next() {
      try {
        while (true) {
          const step = await batches.next();
          if (step.done === true) break;
          await outbox.sendAll(frames(connection, operationId, step.value));
        }
      } catch (error) {
        await stop();
        throw error;
      }
      running.delete(operationId);
      return { done: true, value: undefined };
    },
    async return() {
      await stop();
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
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

/** `next` messages, for as long as the client wants them. */
function* frames(
  { ids }: Connection,
  operationId: string,
  results: Iterable<() => ExecutionResult>,
): Generator<string> {
  const clientId = ids.clientIdOf(operationId);
  if (clientId === undefined) return;
  const head = `{"id":${JSON.stringify(clientId)},"type":"next","payload":`;
  for (const result of results) yield `${head}${stringifyResult(result())}}`;
}

/** A client's message with our id for its operation; undefined: the socket was closed over it. */
function toServer({ ids, socket }: Connection, text: string): string | undefined {
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
