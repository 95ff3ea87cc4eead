import assert from 'node:assert/strict';
import { basic, type Login } from './graphql-client.ts';

export interface MadeToken {
  readonly token: string;
  readonly expiresAt: string;
  readonly useBy?: string;
}

/** What `POST /tokens` answers to this body. */
export function postTokens(
  url: string,
  login: Login,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`${url}/tokens`, {
    method: 'POST',
    headers: { authorization: basic(login), 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** A token that the server makes for this key. */
export async function makeToken(url: string, login: Login, body: object = {}): Promise<MadeToken> {
  const response = await postTokens(url, login, body);
  const text = await response.text();
  assert.equal(response.status, 201, text);
  return JSON.parse(text);
}
