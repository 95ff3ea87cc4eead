import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { MillraceError } from '../../core/errors.ts';
import type { Route } from '../http-server.ts';
import { respond, respondText } from '../respond.ts';

export interface MetricsRouteOptions {
  /** Everything there is to show, in Prometheus' text format. */
  readonly text: () => Promise<string>;
  readonly contentType: string;
  /** What whoever asks must show; `null`: they are shown to this machine only. */
  readonly token: string | null;
}

/** What a proxy adds: the request is not of the machine that it came from. */
const proxyHeader = /^(?:forwarded|x-forwarded-.*|x-real-ip|via)$/;

/** `GET /metrics`: they name projects and topics, and are not for everybody. */
export function createMetricsRoute({ text, contentType, token }: MetricsRouteOptions): Route {
  const isShown = token === null ? isOfThisMachine : bearerOf(token);
  const refusal =
    token === null
      ? new MillraceError(
          'FORBIDDEN',
          'metrics are shown to the machine that the server runs on, at localhost or 127.0.0.1; its operator can set metrics.tokenFile',
        )
      : new MillraceError('UNAUTHENTICATED', 'send `Authorization: Bearer <metrics.token>`');
  return async (request, response) => {
    if (!isShown(request)) throw refusal;
    if (request.method !== 'GET') {
      response.setHeader('allow', 'GET');
      return respond(response, 405, {
        errors: [
          { message: 'metrics are asked for by GET', extensions: { code: 'BAD_USER_INPUT' } },
        ],
      });
    }
    respondText(response, contentType, await text());
  };
}

function isOfThisMachine({ socket, headers }: IncomingMessage): boolean {
  if (Object.keys(headers).some((name) => proxyHeader.test(name))) return false;
  // A proxy may add nothing, and a page may have its own name lead to this machine: the name that was asked for tells.
  const name = headers.host?.toLowerCase().replace(/:\d+$/, '') ?? '';
  if (name !== 'localhost' && !isLoopback(name.replace(/^\[(.*)\]$/, '$1'))) return false;
  return isLoopback(socket.remoteAddress?.replace(/^::ffff:/, '') ?? '');
}

function isLoopback(address: string): boolean {
  return address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

function bearerOf(token: string): (request: IncomingMessage) => boolean {
  const expected = digestOf(token);
  return ({ headers: { authorization = '' } }) => {
    const [, shown = ''] = /^bearer +(\S+) *$/i.exec(authorization) ?? [];
    return timingSafeEqual(digestOf(shown), expected);
  };
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
