import type { Clock } from '../../core/clock.ts';
import { MillraceError } from '../../core/errors.ts';
import type {
  Authenticator,
  Credentials,
  KeyAuthenticator,
  Principal,
  TokenCredentials,
} from '../principal.ts';
import { expiredToken, forbidden, invalidToken, refusedKeyOfToken } from '../refusals.ts';
import type { TokenCodec, TokenContent } from './token-codec.ts';
import { TokenPrincipal } from './token-principal.ts';
import type { TrustedIssuers } from './trusted-issuers.ts';
import { UsedTokens } from './used-tokens.ts';

export interface TokenAuthenticatorOptions {
  readonly keys: KeyAuthenticator;
  readonly codec: TokenCodec;
  /** @default nobody else's tokens are accepted */
  readonly issuers?: TrustedIssuers | undefined;
  readonly clock: Clock;
  /** Most single-use tokens that are remembered. */
  readonly maxUsedTokens: number;
}

/** Lets in who shows a token, and has keys judged by those who know them. */
export class TokenAuthenticator implements Authenticator {
  readonly #options: TokenAuthenticatorOptions;
  readonly #used: UsedTokens;

  constructor(options: TokenAuthenticatorOptions) {
    this.#options = options;
    this.#used = new UsedTokens(options.clock, options.maxUsedTokens);
  }

  async authenticate(credentials: Credentials): Promise<Principal> {
    if (!('token' in credentials)) return this.#options.keys.authenticate(credentials);
    return isEncrypted(credentials.token) ? this.#byOwn(credentials) : this.#byOthers(credentials);
  }

  async #byOwn({ token, inUrl }: TokenCredentials): Promise<Principal> {
    const content = await this.#options.codec.open(token);
    const { id, useByMs } = content;
    if (useByMs === null) {
      if (inUrl) throw mustNotStandInUrl();
      return this.#principalOf(content);
    }
    if (this.#options.clock.now() > useByMs) throw expiredToken();
    // Before anything is waited for: two who come at once must not both get in.
    this.#used.take(id, useByMs);
    try {
      return await this.#principalOf(content);
    } catch (error) {
      this.#used.giveBack(id);
      throw error;
    }
  }

  async #byOthers({ token, inUrl }: TokenCredentials): Promise<Principal> {
    const { issuers, clock } = this.#options;
    if (inUrl) throw mustNotStandInUrl();
    if (issuers === undefined) throw invalidToken();
    const { project, scope } = await issuers.verify(token);
    return new TokenPrincipal(project, scope, clock);
  }

  async #principalOf(content: TokenContent): Promise<Principal> {
    const { keys, clock } = this.#options;
    try {
      const parent = await keys.resolve(content.projectId, content.keyReference);
      return new TokenPrincipal(parent, content, clock, refusedKeyOfToken);
    } catch (error) {
      throw error instanceof MillraceError ? refusedKeyOfToken(error) : error;
    }
  }
}

/** JWE has five parts in its compact form, JWS three (RFC 7516, section 9). */
function isEncrypted(token: string): boolean {
  return token.split('.').length === 5;
}

function mustNotStandInUrl(): Error {
  return forbidden(
    'only a single-use token may stand in a URL: send this one in the Authorization header or in connection_init',
  );
}
