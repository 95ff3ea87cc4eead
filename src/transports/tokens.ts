import type { RequestHead } from '../auth/authorization.ts';
import type { TokenMaker } from '../auth/tokens/token-maker.ts';
import type { Route } from './http-server.ts';
import { readJson, saysJson } from './request-body.ts';
import { respond } from './respond.ts';

export interface TokensRouteOptions {
  /** Lets in who asks for a token; rejects with a `MillraceError`. */
  readonly admit: (request: RequestHead) => ReturnType<TokenMaker['admit']>;
  readonly maxBodyBytes: number;
}

/** `POST /tokens`: a token for a browser, made for whoever has a key. */
export function createTokensRoute({ admit, maxBodyBytes }: TokensRouteOptions): Route {
  return async (request, response) => {
    if (request.method !== 'POST') {
      response.setHeader('allow', 'POST');
      return respond(response, 405, refusal('tokens are made with POST'));
    }
    if (!saysJson(request)) {
      return respond(response, 415, refusal('the body must have the type application/json'));
    }
    const make = await admit(request);
    // Of a body that is too long the rest is not waited for.
    response.setHeader('connection', 'close');
    const body = await readJson(request, maxBodyBytes);
    response.removeHeader('connection');
    respond(response, 201, await make(body ?? {}));
  };
}

function refusal(message: string): object {
  return { errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }] };
}
