import { randomUUID } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { MillraceError } from '../../core/errors.ts';
import type { Credentials, KeyAuthenticator, KeyCredentials, Principal } from '../principal.ts';
import { forbidden } from '../refusals.ts';
import { maxTokenLength, type TokenCodec } from './token-codec.ts';
import { parseTokenRequest } from './token-request.ts';

export interface TokenMakerOptions {
  readonly keys: Pick<KeyAuthenticator, 'authenticate' | 'referenceTo'>;
  readonly codec: TokenCodec;
  readonly clock: Pick<Clock, 'now'>;
  readonly maxExpiresInMs: number;
}

/** What `POST /tokens` answers; times are RFC 3339. */
export interface MadeToken {
  readonly token: string;
  /** When it, and what was opened with it, ends. */
  readonly expiresAt: string;
  /** Of a single-use token: when it must have been used. */
  readonly useBy?: string;
}

/**
 * How long a single-use token waits for its use, in milliseconds. Instances do not know of each other's
 * uses: within this time one that was seen could be used again at another.
 */
const singleUseWithinMs = 60_000;

/** Makes tokens for whoever has a key. */
export class TokenMaker {
  readonly #options: TokenMakerOptions;

  constructor(options: TokenMakerOptions) {
    this.#options = options;
  }

  /**
   * @returns makes a token of what a body asks for
   * @throws {MillraceError} as `KeyAuthenticator`; `FORBIDDEN`: these are not project id and key
   */
  async admit(credentials: Credentials): Promise<(body: unknown) => Promise<MadeToken>> {
    if ('token' in credentials) {
      throw forbidden('a token cannot make tokens: use the project id and a key');
    }
    const principal = await this.#options.keys.authenticate(credentials);
    return (body) => this.#make(principal, credentials, body);
  }

  async #make(
    principal: Principal,
    credentials: KeyCredentials,
    body: unknown,
  ): Promise<MadeToken> {
    const { keys, codec, clock } = this.#options;
    const { topics, filter, expiresInMs, singleUse } = parseTokenRequest(body, this.#options);
    for (const topic of topics ?? []) principal.mayRead(topic);
    const nowMs = clock.now();
    const expiresAtMs = wholeSeconds(nowMs + expiresInMs);
    const useByMs = singleUse
      ? Math.min(expiresAtMs, wholeSeconds(nowMs + singleUseWithinMs))
      : null;
    const token = await codec.seal({
      projectId: principal.projectId,
      keyReference: keys.referenceTo(credentials),
      topics,
      filter,
      expiresAtMs,
      id: randomUUID(),
      useByMs,
    });
    if (token.length > maxTokenLength) {
      throw new MillraceError(
        'BAD_USER_INPUT',
        `the token would have ${token.length} characters, of which a header takes ${maxTokenLength}: ask for less`,
        { argument: filter.length > 0 ? 'filter' : 'topics' },
      );
    }
    return {
      token,
      expiresAt: new Date(expiresAtMs).toISOString(),
      ...(useByMs === null ? {} : { useBy: new Date(useByMs).toISOString() }),
    };
  }
}

/** As tokens tell the time; up, so that none ends before it was promised to. */
function wholeSeconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1_000) * 1_000;
}
