import { hkdfSync, randomBytes } from 'node:crypto';

/**
 * The key that tokens are encrypted with. HKDF (RFC 5869) with a salt of its own, as other keys are made
 * from the same text and knowing one must not help to find another.
 *
 * @param secret what all instances have; `null`: there is none, and the key is this process's alone
 * @returns 32 bytes
 */
export function tokenKeyFrom(secret: string | null): Uint8Array {
  if (secret === null) return randomBytes(32);
  return new Uint8Array(hkdfSync('sha256', secret, 'millrace token', '', 32));
}
