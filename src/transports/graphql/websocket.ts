import type { Duplex } from 'node:stream';
import { type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql';
import { CloseCode, makeServer, type SubscribePayload } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { Principal } from '../../auth/principal.ts';
import type { Clock } from '../../core/clock.ts';
import { errorTable, MillraceError } from '../../core/errors.ts';
import type { Logger } from '../../observe/logger.ts';
import type { Answers } from '../allowance/answers.ts';
import { answerTo } from './answer.ts';
import type { GraphqlContext } from './context.ts';
import { type GraphqlEngine, isErrors, isSubscribed, type Subscribed } from './engine.ts';
import { stringifyResult } from './json-text.ts';
import { NextFrames } from './next-frames.ts';
import type { Selection } from './selection.ts';
import { SocketConnection, type SocketConnectionOptions } from './socket-connection.ts';
import { SocketDelivery } from './socket-delivery.ts';

export interface GraphqlWebSocketOptions extends SocketConnectionOptions {
  readonly engine: GraphqlEngine;
  /**
   * Lets a client in by the payload of its `connection_init`, or by the token in its URL; rejects with a
   * `MillraceError`.
   */
  readonly authenticate: (payload: unknown, url: string | undefined) => Promise<Principal>;
  readonly contextOf: (principal: Principal) => GraphqlContext;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds from opening the socket to its being authenticated. */
  readonly initTimeoutMs: number;
  /** Operations at a time, of one connection. */
  readonly maxSubscriptions: number;
  /** What each project's queries may take. */
  readonly answers: Answers;
}

/** Whose operation it is. */
interface OperationContext {
  readonly connection: SocketConnection;
  readonly operationId: string;
}

/**
 * GraphQL over WebSocket, protocol graphql-transport-ws. graphql-ws keeps the protocol (init, ping,
 * close codes, queries); what subscriptions deliver does not pass through it. It sees a subscription end
 * as soon as it is accepted: from then on a `SocketDelivery` sends what comes from the hub, in frames
 * that all subscribers of a selection share.
 */
export function createGraphqlWebSocket(
  options: GraphqlWebSocketOptions,
): (socket: WebSocket, stream: Duplex, url?: string) => void {
  const { answers, engine, logger } = options;
  const contexts = new WeakMap<ExecutionArgs, OperationContext>();
  const frames = new WeakMap<Selection, NextFrames>();
  const settings = { contextOf: resolverContextOf, mask: engine.mask };

  const server = makeServer<Record<string, unknown>, SocketConnection>({
    connectionInitWaitTimeout: 0,
    onConnect: async (context) => {
      const { connectionParams, extra: connection } = context;
      // The key is not kept for as long as the connection lives. And what graphql-ws keeps operations in, of which there
      // are none yet, is a table of 160 bytes: with ids of our own no name that every object has can be among them.
      Object.assign(context, { connectionParams: undefined, subscriptions: {} });
      try {
        const principal = await options.authenticate(connectionParams, connection.takeUrl());
        // Gone meanwhile: no `close` would ever come to give the principal back.
        if (connection.isOpen) connection.admit(principal);
        return true;
      } catch (error) {
        refuse(connection, error);
        return false;
      }
    },
    onSubscribe: ({ extra: connection }, operationId, payload) =>
      prepare(connection, operationId, payload),
    execute: async (args: ExecutionArgs) => {
      const { connection, operationId } = contextOf(args);
      try {
        const { projectId } = principalOf(connection);
        await sendAnswer(
          connection,
          operationId,
          await answerTo(args, projectId, { engine, answers }),
        );
        return nothing();
      } finally {
        connection.running -= 1;
      }
    },
    subscribe: async (args: ExecutionArgs) => {
      const { connection, operationId } = contextOf(args);
      try {
        const outcome = await engine.subscribe(args);
        if (!isSubscribed(outcome)) return refused(outcome.errors ?? []);
        deliver(connection, operationId, outcome);
        return nothing();
      } finally {
        connection.running -= 1;
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

  function deliver(
    connection: SocketConnection,
    operationId: string,
    { subscription, selection }: Subscribed,
  ): void {
    // From here on it is no longer one of graphql-ws: the end that it sees is not the client's.
    const clientId = connection.ids.closeByServer(operationId);
    // Completed, or gone, while it was being set up.
    if (clientId === undefined || !connection.isOpen) return subscription.leave();
    const frames = framesOf(selection);
    new SocketDelivery(connection, clientId, subscription, frames, settings).begin();
  }

  function framesOf(selection: Selection): NextFrames {
    let made = frames.get(selection);
    if (made === undefined) {
      made = new NextFrames(selection, options.sent.by['graphql-ws']);
      frames.set(selection, made);
    }
    return made;
  }

  /** A `next` message, if the client still wants it; resolves when the socket has taken it. */
  async function sendAnswer(
    connection: SocketConnection,
    operationId: string,
    result: ExecutionResult,
  ): Promise<void> {
    const clientId = connection.ids.clientIdOf(operationId);
    if (clientId === undefined) return;
    const { projectId } = principalOf(connection);
    const payload = payloadOf(result, projectId);
    const { promise, resolve } = Promise.withResolvers<void>();
    const taken = answers.send(projectId, Buffer.byteLength(payload));
    connection.write(
      `{"id":${JSON.stringify(clientId)},"type":"next","payload":${payload}}`,
      resolve,
    );
    await promise;
    taken();
  }

  /** As JSON text: the result, or that it is too much. */
  function payloadOf(result: ExecutionResult, projectId: string): string {
    const payload = stringifyResult(result);
    try {
      answers.assertRoom(projectId, Buffer.byteLength(payload));
      return payload;
    } catch (error) {
      return stringifyResult({ errors: [engine.mask(error)] });
    }
  }

  function resolverContextOf(connection: SocketConnection): GraphqlContext {
    return options.contextOf(principalOf(connection));
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
    const graphql = resolverContextOf(connection);
    if (connection.operations >= options.maxSubscriptions) {
      return [engine.mask(tooManySubscriptions(options.maxSubscriptions))];
    }
    try {
      connection.assertAffordable();
    } catch (error) {
      return [engine.mask(error)];
    }
    const operation = engine.operation(payload, graphql);
    if (isErrors(operation)) return operation;
    contexts.set(operation.args, { connection, operationId });
    // From here on graphql-ws executes it, whatever happens to the connection.
    connection.running += 1;
    return operation.args;
  }

  function refuse(connection: SocketConnection, error: unknown): void {
    if (error instanceof MillraceError) return connection.refuse(error);
    logger.error({ err: error }, 'unexpected fault while letting a client in');
    connection.close(CloseCode.InternalServerError, errorTable.INTERNAL.summary);
  }

  return function serve(socket, stream, url) {
    const connection = new SocketConnection(socket, stream, options, url);
    connection.expectInit(options.clock, options.initTimeoutMs);
    const closed = server.opened(connection, connection);
    // Not `once`, which keeps several objects more for each socket: it comes only once as it is.
    socket.on('close', (code, reason) => {
      connection.leaveAll(code);
      closed(code, String(reason)).catch((error: unknown) => {
        logger.error({ err: error }, 'unexpected fault while cleaning up after a client');
      });
    });
  };
}

function principalOf({ principal }: SocketConnection): Principal {
  if (principal === undefined) throw new Error('an operation before the connection was let in');
  return principal;
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
