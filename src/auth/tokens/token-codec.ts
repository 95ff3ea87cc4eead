import { EncryptJWT, errors, type JWTPayload, jwtDecrypt } from 'jose';
import { z } from 'zod';
import type { Clock } from '../../core/clock.ts';
import { parseFilter } from '../../decode/property-filter.ts';
import { expiredToken, invalidToken } from '../refusals.ts';
import type { TokenScope } from './token-scope.ts';

/** In characters. A token has to fit into a header, of which Node takes 16 KiB for a whole request. */
export const maxTokenLength = 8_192;

/** What a token of `POST /tokens` says. */
export interface TokenContent extends TokenScope {
  readonly projectId: string;
  /** To the key that made it: see `KeyAuthenticator.referenceTo`. */
  readonly keyReference: string;
  readonly id: string;
  /** It is good for one use, until then, in milliseconds since 1970; `null`: for any number. */
  readonly useByMs: number | null;
}

const issuer = 'millrace';

const claimsSchema = z.object({
  sub: z.string(),
  key: z.string(),
  topics: z.array(z.string()).readonly().nullable(),
  filter: z.array(z.unknown()),
  exp: z.number(),
  jti: z.string(),
  useBy: z.number().nullable(),
});

/**
 * Writes and reads tokens: JWTs that are encrypted (JWE, A256GCM) and thereby authenticated as well. They
 * carry what finds the key again, which is nobody's business but the server's.
 */
export class TokenCodec {
  readonly #key: Uint8Array;
  readonly #clock: Pick<Clock, 'now'>;

  /** @param key 32 bytes */
  constructor(key: Uint8Array, clock: Pick<Clock, 'now'>) {
    this.#key = key;
    this.#clock = clock;
  }

  seal({ projectId, keyReference, useByMs, ...content }: TokenContent): Promise<string> {
    const claims: z.input<typeof claimsSchema> = {
      sub: projectId,
      key: keyReference,
      topics: content.topics,
      filter: [...content.filter],
      exp: content.expiresAtMs / 1_000,
      jti: content.id,
      useBy: useByMs === null ? null : useByMs / 1_000,
    };
    return new EncryptJWT({ ...claims })
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', typ: 'JWT' })
      .setIssuer(issuer)
      .encrypt(this.#key);
  }

  /** @throws {MillraceError} `UNAUTHENTICATED`: it was not sealed with this key, or has expired */
  async open(token: string): Promise<TokenContent> {
    const claims = claimsSchema.parse(await this.#decrypt(token));
    return {
      projectId: claims.sub,
      keyReference: claims.key,
      topics: claims.topics,
      filter: parseFilter(claims.filter),
      expiresAtMs: claims.exp * 1_000,
      id: claims.jti,
      useByMs: claims.useBy === null ? null : claims.useBy * 1_000,
    };
  }

  async #decrypt(token: string): Promise<JWTPayload> {
    try {
      const { payload } = await jwtDecrypt(token, this.#key, {
        issuer,
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
        currentDate: new Date(this.#clock.now()),
      });
      return payload;
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw expiredToken();
      if (error instanceof errors.JOSEError) throw invalidToken(error);
      throw error;
    }
  }
}
