import type { Duplex } from 'node:stream';
import { MillraceError } from '../core/errors.ts';
import { errorBody, retryAfterSeconds } from './respond.ts';

export interface HttpLimits {
  /** Connections of whatever kind that are served, … */
  readonly maxConnections: number;
  /** … and so many more that are told that there are too many. What is beyond is not taken at all. */
  readonly maxRefusedConnections: number;
  /** Milliseconds for which the head of a request may take, from its connection or the last request on. */
  readonly headersTimeoutMs: number;
  /** Milliseconds for which a request as a whole may take to come. */
  readonly requestTimeoutMs: number;
  /** Bytes of the head of a request. */
  readonly maxHeaderBytes: number;
}

interface Refusal {
  readonly status: string;
  readonly error: MillraceError;
}

/** What is answered where no more connections are served. */
export function tooManyConnections(max: number): MillraceError {
  const limit = 'limits.connections';
  const message = `this server has ${max} connections already (${limit}): try again later`;
  return new MillraceError('LIMIT_EXCEEDED', message, { limit });
}

/** What is over a limit of what Node could not read; undefined: it is no HTTP at all. */
export function refusalOf(
  error: Error,
  { maxHeaderBytes, requestTimeoutMs }: HttpLimits,
): Refusal | undefined {
  switch ('code' in error ? error.code : undefined) {
    case 'HPE_HEADER_OVERFLOW':
      return refused(
        '431 Request Header Fields Too Large',
        'limits.headerBytes',
        `the head of the request has more than ${maxHeaderBytes} bytes`,
      );
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return refused(
        '408 Request Timeout',
        'limits.requestTimeout',
        `the request, or its head, has not come within ${requestTimeoutMs} ms`,
      );
    default:
      return undefined;
  }
}

function refused(status: string, limit: string, what: string): Refusal {
  return { status, error: new MillraceError('LIMIT_EXCEEDED', `${what} (${limit})`, { limit }) };
}

/** Answers where there is no response to answer with, and hangs up. */
export function refuse(stream: Duplex, status: string, error?: MillraceError): void {
  if (!stream.writable) {
    stream.destroy();
    return;
  }
  // The other side may never close its half.
  stream.once('finish', () => stream.destroy());
  const body = error === undefined ? '' : JSON.stringify(errorBody(error));
  const head = [
    `HTTP/1.1 ${status}`,
    'connection: close',
    `content-length: ${Buffer.byteLength(body)}`,
    ...(body === '' ? [] : ['content-type: application/json; charset=utf-8']),
    ...(status.startsWith('503') ? [`retry-after: ${retryAfterSeconds}`] : []),
  ];
  stream.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
