import type { ExecutionResult, GraphQLError } from 'graphql';
import { errorTable } from '../../core/errors.ts';
import { isErrorCode, withExtensions } from './errors.ts';

/**
 * Has yoga answer what was refused without being executed with the HTTP status of its errors, where
 * the client takes `application/graphql-response+json` (GraphQL over HTTP, "Status Codes"). For
 * `application/json` and `text/event-stream` it stays 200.
 */
export function withStatus<Result extends ExecutionResult>(result: Result): Result {
  if (result.errors === undefined || result.data !== undefined) return result;
  return { ...result, errors: result.errors.map(errorWithStatus) };
}

function errorWithStatus(error: GraphQLError): GraphQLError {
  const { code, http } = error.extensions;
  // Yoga has decided on those of the HTTP request itself.
  if (!isErrorCode(code) || http !== undefined) return error;
  // Yoga takes it out of what it sends. `spec`: not for the two other media types.
  return withExtensions(error, { http: { spec: true, status: errorTable[code].httpStatus } });
}
