import { createPublicKey, createSecretKey } from 'node:crypto';
import { decodeJwt, errors, type JWTPayload, jwtVerify, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import type { IssuerKey, TrustedIssuer } from '../../config/config.ts';
import { signatureAlgorithms } from '../../config/public-key.ts';
import type { Clock } from '../../core/clock.ts';
import { MillraceError } from '../../core/errors.ts';
import { parseFilter } from '../../decode/property-filter.ts';
import type { Logger } from '../../observe/logger.ts';
import { perMinute } from '../../observe/rate-limit.ts';
import type { Principal } from '../principal.ts';
import { expiredToken, invalidToken } from '../refusals.ts';
import { remoteKeys } from './remote-keys.ts';
import type { TokenScope } from './token-scope.ts';

export interface TrustedIssuersOptions {
  /** Who may read all of a project; throws `UNAUTHENTICATED` if there is no such project. */
  readonly projectOf: (projectId: string) => Principal;
  readonly clock: Pick<Clock, 'now'>;
  readonly maxExpiresInMs: number;
  readonly logger: Pick<Logger, 'warn'>;
}

/** What a verified token gives: some of a project. */
export interface TrustedToken {
  readonly project: Principal;
  readonly scope: TokenScope;
}

interface Verifier {
  readonly issuer: TrustedIssuer;
  readonly algorithms: string[];
  readonly getKey: JWTVerifyGetKey;
}

/** Signatures of a key that is found out by the token itself: never of a shared secret. */
const publicAlgorithms =
  'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ');
/** How far the clock of an issuer may be ahead of ours, in seconds. */
const aheadSeconds = 5;

const claimsSchema = z.object({
  exp: z.number(),
  topics: z.array(z.string().min(1)).readonly(),
  filter: z.array(z.unknown()).optional(),
});

/** Verifies tokens that were signed elsewhere, by those whom the configuration trusts (`tokens.trusted`). */
export class TrustedIssuers {
  readonly #options: TrustedIssuersOptions;
  readonly #verifiers: readonly Verifier[];
  readonly #logUnreachable: (url: string, error: unknown) => void;

  constructor(issuers: readonly TrustedIssuer[], options: TrustedIssuersOptions) {
    this.#options = options;
    this.#verifiers = issuers.map((issuer) => ({ issuer, ...verification(issuer.key) }));
    this.#logUnreachable = perMinute(options.clock, 2, (issuer: string, err: unknown) =>
      options.logger.warn({ issuer, err }, 'the keys of a trusted issuer cannot be fetched'),
    );
  }

  /** @throws {MillraceError} `UNAUTHENTICATED`, with the reason */
  async verify(token: string): Promise<TrustedToken> {
    for (const verifier of this.#verifiersOf(token)) {
      const payload = await this.#verified(token, verifier);
      if (payload !== undefined) return this.#accepted(payload, verifier.issuer);
    }
    throw invalidToken();
  }

  #verifiersOf(token: string): readonly Verifier[] {
    let claimed: string | undefined;
    try {
      claimed = decodeJwt(token).iss;
    } catch (error) {
      throw invalidToken(error);
    }
    return this.#verifiers.filter(
      ({ issuer: { issuer } }) => issuer === null || issuer === claimed,
    );
  }

  /** What the token says; undefined: it is not of this issuer, or not for us. */
  async #verified(
    token: string,
    { issuer, algorithms, getKey }: Verifier,
  ): Promise<JWTPayload | undefined> {
    const { audience } = issuer;
    try {
      const { payload } = await jwtVerify(token, getKey, {
        algorithms,
        ...(issuer.issuer === null ? {} : { issuer: issuer.issuer }),
        ...(audience === null ? {} : { audience }),
        requiredClaims: ['exp'],
        clockTolerance: aheadSeconds,
        currentDate: new Date(this.#options.clock.now()),
      });
      return payload;
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw expiredToken();
      if (error instanceof errors.JOSEError && isAboutToken(error)) return undefined;
      this.#logUnreachable(issuer.issuer ?? issuer.project, error);
      throw unverifiable(error);
    }
  }

  #accepted(payload: JWTPayload, { project }: TrustedIssuer): TrustedToken {
    const { clock, maxExpiresInMs, projectOf } = this.#options;
    const claims = claimsSchema.safeParse(payload);
    if (!claims.success) {
      throw unusable(
        'it needs the claim topics, a list of names of topics, and may have filter, a list of conditions',
      );
    }
    const { topics, filter } = claims.data;
    const expiresAtMs = claims.data.exp * 1_000;
    const leftMs = expiresAtMs - clock.now();
    if (leftMs <= 0) throw expiredToken();
    if (leftMs > maxExpiresInMs) {
      throw unusable(
        `it must expire within ${maxExpiresInMs / 1_000}s (tokens.maxExpiresIn), and does later`,
      );
    }
    return {
      project: projectOf(project),
      scope: { topics, filter: filterOf(filter), expiresAtMs },
    };
  }
}

function verification(key: IssuerKey): Omit<Verifier, 'issuer'> {
  switch (key.kind) {
    case 'secret': {
      const secret = createSecretKey(Buffer.from(key.secret));
      return { algorithms: ['HS256'], getKey: () => secret };
    }
    case 'publicKey': {
      const publicKey = createPublicKey(key.pem);
      return { algorithms: signatureAlgorithms(publicKey), getKey: () => publicKey };
    }
    case 'jwks':
      return { algorithms: publicAlgorithms, getKey: remoteKeys(new URL(key.url)) };
  }
}

/** Whether it is the token that is wrong, and not what it would be verified with. */
function isAboutToken({ code }: errors.JOSEError): boolean {
  return code !== 'ERR_JWKS_TIMEOUT' && code !== 'ERR_JWKS_INVALID' && code !== 'ERR_JOSE_GENERIC';
}

function filterOf(input: unknown): TokenScope['filter'] {
  try {
    return parseFilter(input, 'filter');
  } catch (error) {
    if (error instanceof MillraceError) throw unusable(error.message, error);
    throw error;
  }
}

function unusable(reason: string, cause?: unknown): MillraceError {
  const message = `this token cannot be used: ${reason}`;
  return new MillraceError('UNAUTHENTICATED', message, {}, { cause });
}

function unverifiable(cause: unknown): MillraceError {
  const message = 'this token cannot be verified now: the keys of its issuer cannot be fetched';
  return new MillraceError('UNAUTHENTICATED', message, {}, { cause });
}
