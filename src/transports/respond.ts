import type { ServerResponse } from 'node:http';
import { errorTable, type MillraceError } from '../core/errors.ts';
import { shownError } from './shown-error.ts';

/** Statuses of what may go better a little later: too many requests, unavailable. */
const mayPass: ReadonlySet<number> = new Set([429, 503]);
/** After how many seconds it is worth a try. */
export const retryAfterSeconds = 5;

/** Answers with a JSON body. */
export function respond(response: ServerResponse, status: number, body: unknown): void {
  send(response, status, 'application/json; charset=utf-8', JSON.stringify(body));
}

/** Answers with a text of another type. */
export function respondText(response: ServerResponse, contentType: string, text: string): void {
  send(response, 200, contentType, text);
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}

/**
 * Answers with an error, in the form that GraphQL clients read; what is not for clients is masked.
 *
 * @param status @default that of the error's code
 */
export function respondError(response: ServerResponse, error: unknown, status?: number): void {
  const shown = shownError(error);
  // Not Basic: a browser would answer that with a password prompt of its own.
  if (shown.code === 'UNAUTHENTICATED') {
    response.setHeader('www-authenticate', 'Bearer realm="millrace"');
  }
  const answered = status ?? errorTable[shown.code].httpStatus;
  if (mayPass.has(answered)) response.setHeader('retry-after', retryAfterSeconds);
  respond(response, answered, errorBody(shown));
}

/** As a client reads it: in the form of GraphQL. */
export function errorBody({ code, message, details }: MillraceError): object {
  return { errors: [{ message, extensions: { code, ...details } }] };
}
