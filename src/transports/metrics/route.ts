import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
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
const proxyHeaders = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'] as const;

/** `GET /metrics`: they name projects and topics, and are not for everybody. */
export function createMetricsRoute({ text, contentType, token }: MetricsRouteOptions): Route {
  const isShown = token === null ? isOfThisMachine : bearerOf(token);
  const refusal =
    token === null
      ? new MillraceError(
          'FORBIDDEN',
          'metrics are shown to the machine that the server runs on; its operator can set metrics.tokenFile',
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
  if (proxyHeaders.some((name) => headers[name] !== undefined)) return false;
  const address = socket.remoteAddress?.replace(/^::ffff:/, '');
  return address === '::1' || address?.startsWith('127.') === true;
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
