import type { IncomingMessage, ServerResponse } from 'node:http';
import { MillraceError } from '../../core/errors.ts';
import { respondError } from '../respond.ts';

/**
 * Whether a request is one of the single connection mode of GraphQL over SSE: there a stream is reserved by
 * `PUT`, carries the results of all operations that name it, and is told by `DELETE` of each that ends.
 */
export function isOfSingleConnection({ method, headers }: IncomingMessage): boolean {
  return isReservation(method) || headers['x-graphql-event-stream-token'] !== undefined;
}

/** It is not served: what two requests share would have to be at one instance, and end with one of them. */
export function refuseSingleConnection(
  { method }: IncomingMessage,
  response: ServerResponse,
): void {
  // All that graphql-sse shows of a refusal.
  response.statusMessage = 'Single connection mode is not served: leave singleConnection out';
  response.setHeader('allow', 'GET, POST');
  const message =
    'the single connection mode of GraphQL over SSE is not served: leave `singleConnection` out, and each operation has a request of its own; to share a connection, use graphql-ws';
  const error = new MillraceError('BAD_USER_INPUT', message);
  respondError(response, error, isReservation(method) ? 405 : 400);
}

function isReservation(method: string | undefined): boolean {
  return method === 'PUT' || method === 'DELETE';
}
