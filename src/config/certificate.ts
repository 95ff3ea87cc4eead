import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { TlsFiles } from './config.ts';
import { reasonOf } from './problem.ts';

/** A certificate, with those that lead to an authority behind it, and its key; PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** @throws {Error} that says which of the two files is of no use, and why */
export function readCertificate({ certFile, keyFile }: TlsFiles): Certificate {
  const certificate = { cert: read(certFile), key: read(keyFile) };
  const problem = certificateProblem(certificate);
  if (problem === undefined) return certificate;
  throw new Error(`${problem.of === 'cert' ? certFile : keyFile} ${problem.message}`);
}

/** What keeps the two from being served with; `undefined`: nothing. */
export function certificateProblem({
  cert,
  key,
}: Certificate): { readonly of: 'cert' | 'key'; readonly message: string } | undefined {
  let [certificate, privateKey]: [X509Certificate | undefined, KeyObject | undefined] = [
    undefined,
    undefined,
  ];
  try {
    certificate = new X509Certificate(cert);
  } catch (error) {
    return { of: 'cert', message: `is no certificate in PEM: ${reasonOf(error)}` };
  }
  try {
    privateKey = createPrivateKey(key);
  } catch (error) {
    return {
      of: 'key',
      message: `is no private key in PEM without a password: ${reasonOf(error)}`,
    };
  }
  if (certificate.checkPrivateKey(privateKey)) return undefined;
  return { of: 'key', message: 'is not the key of the certificate (the first one in its file)' };
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}
