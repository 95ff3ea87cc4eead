import {
  createRemoteJWKSet,
  customFetch,
  type FetchImplementation,
  type JWTVerifyGetKey,
} from 'jose';
import { z } from 'zod';

/** Most bytes of a key set: those of big issuers have 10 kB. */
const maxBytes = 256 * 1_024;
const keySetSchema = z.object({ keys: z.array(z.record(z.string(), z.unknown())) });
const timeoutMs = 5_000;
/** How long after a fetch an unknown key is taken for a wrong one. */
const cooldownMs = 30_000;
/** How long after a fetch that failed there is none: tokens with made-up keys must not cause a storm. */
const restMs = 5_000;
const maxAgeMs = 10 * 60_000;

/**
 * The keys that an issuer publishes (JWKS), fetched when a token needs them, and again when it names
 * another. However many tokens come, there is one fetch at a time.
 */
export function remoteKeys(url: URL): JWTVerifyGetKey {
  return createRemoteJWKSet(url, {
    timeoutDuration: timeoutMs,
    cooldownDuration: cooldownMs,
    cacheMaxAge: maxAgeMs,
    [customFetch]: boundedFetch(),
  });
}

function boundedFetch(): FetchImplementation {
  let failedAtMs = Number.NEGATIVE_INFINITY;
  let failure: unknown;
  return async (url, options) => {
    if (Math.abs(Date.now() - failedAtMs) < restMs) throw failure;
    try {
      const response = await fetch(url, options);
      const { ok, status } = response;
      if (!ok) throw new Error(`${new URL(url).host} answered with status ${status}`);
      return Response.json(keySetSchema.parse(JSON.parse(await textOf(response))));
    } catch (error) {
      failedAtMs = Date.now();
      failure = error;
      throw error;
    }
  };
}

async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body ?? []) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Error(`the key set has more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
