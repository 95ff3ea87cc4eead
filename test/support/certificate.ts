import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A certificate for localhost and 127.0.0.1 that signs itself, and its key; PEM. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
  /** As `X509Certificate.fingerprint256` has it. */
  readonly fingerprint: string;
}

/** X.509 (RFC 5280) in DER, as little of it as a server needs. */
export function makeCertificate(): TestCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const name = der(
    0x30,
    der(0x31, der(0x30, oids.commonName, der(0x0c, Buffer.from('localhost')))),
  );
  const algorithm = der(0x30, oids.ecdsaWithSha256);
  const signed = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    name,
    der(0x30, time(-1), time(1)),
    name,
    publicKey.export({ format: 'der', type: 'spki' }),
    der(0xa3, der(0x30, authority, alternativeNames)),
  );
  const signature = sign('sha256', signed, privateKey);
  const certificate = der(
    0x30,
    signed,
    algorithm,
    der(0x03, Buffer.concat([Buffer.from([0]), signature])),
  );
  const lines = certificate.toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd();
  const digest = createHash('sha256').update(certificate).digest('hex').toUpperCase();
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: String(privateKey.export({ format: 'pem', type: 'pkcs8' })),
    fingerprint: digest.match(/../g)?.join(':') ?? '',
  };
}

const oids = {
  commonName: Buffer.from('0603550403', 'hex'),
  ecdsaWithSha256: Buffer.from('06082a8648ce3d040302', 'hex'),
  basicConstraints: Buffer.from('0603551d13', 'hex'),
  subjectAltName: Buffer.from('0603551d11', 'hex'),
} as const;

const authority = extension(oids.basicConstraints, der(0x30, der(0x01, Buffer.from([0xff]))));
const alternativeNames = extension(
  oids.subjectAltName,
  der(0x30, der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1]))),
);

function extension(oid: Buffer, value: Buffer): Buffer {
  return der(0x30, oid, der(0x04, value));
}

/** A day before or after now. */
function time(days: number): Buffer {
  const iso = new Date(Date.now() + days * 86_400_000).toISOString();
  return der(0x18, Buffer.from(`${iso.slice(0, 19).replaceAll(/[-:T]/g, '')}Z`));
}

/** Tag, length, content. */
function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(content);
  if (bytes.length < 0x80) return Buffer.concat([Buffer.from([tag, bytes.length]), bytes]);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(bytes.length);
  return Buffer.concat([Buffer.from([tag, 0x82]), length, bytes]);
}
