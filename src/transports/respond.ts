import type { ServerResponse } from 'node:http';
import { errorTable, MillraceError } from '../core/errors.ts';

/** Answers with a JSON body. */
export function respond(response: ServerResponse, status: number, body: unknown): void {
  send(response, status, 'application/json', JSON.stringify(body));
}

/** Answers with a page of HTML. */
export function respondPage(response: ServerResponse, html: string): void {
  send(response, 200, 'text/html', html);
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, {
    'content-type': `${type}; charset=utf-8`,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}

/** Answers with an error, in the form that GraphQL clients read; what is not for clients is masked. */
export function respondError(response: ServerResponse, error: unknown): void {
  const shown =
    error instanceof MillraceError
      ? error
      : new MillraceError('INTERNAL', errorTable.INTERNAL.summary);
  // Not Basic: a browser would answer that with a password prompt of its own.
  if (shown.code === 'UNAUTHENTICATED') {
    response.setHeader('www-authenticate', 'Bearer realm="millrace"');
  }
  const { code, message, details } = shown;
  respond(response, errorTable[code].httpStatus, {
    errors: [{ message, extensions: { code, ...details } }],
  });
}
