import { createPublicKey, type KeyObject } from 'node:crypto';

/** What keeps a PEM text from verifying tokens, for whoever wrote it; `undefined`: nothing. */
export function publicKeyProblem(pem: string): string | undefined {
  if (pem.includes('PRIVATE KEY')) return 'is a private key: give the public one';
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch (error) {
    return `is no public key in PEM: ${error instanceof Error ? error.message : String(error)}`;
  }
  if (signatureAlgorithms(key).length > 0) return undefined;
  return 'is of no kind that tokens are signed with: RSA of 2048 bits or more, P-256, P-384, P-521, Ed25519';
}

/** The algorithms by which signatures of this key may have been made. */
export function signatureAlgorithms(key: KeyObject): string[] {
  const { modulusLength = 0, namedCurve = '' } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'rsa':
      if (modulusLength < 2_048) return [];
      return ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
    case 'ec':
      return ecAlgorithms.get(namedCurve) ?? [];
    case 'ed25519':
      return ['EdDSA', 'Ed25519'];
    default:
      return [];
  }
}

const ecAlgorithms: ReadonlyMap<string, string[]> = new Map([
  ['prime256v1', ['ES256']],
  ['secp384r1', ['ES384']],
  ['secp521r1', ['ES512']],
]);
