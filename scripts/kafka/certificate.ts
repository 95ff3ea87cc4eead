import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines, runCommand } from './command.ts';
import { KafkaStartError } from './start-error.ts';

/** Where the certificate of the TLS listener lies. */
export interface CertificateFiles {
  /** PKCS #12. */
  readonly keystoreFile: string;
  readonly passwordFile: string;
  readonly password: string;
  /** The certificate, which signs itself, so that it is its own authority. */
  readonly pemFile: string;
}

/** The files of a folder; the certificate in them need not exist yet. */
export function certificateFiles(folder: string): CertificateFiles {
  const passwordFile = join(folder, 'keystore.password');
  if (!existsSync(passwordFile)) {
    writeFileSync(passwordFile, randomBytes(18).toString('base64url'), { mode: 0o600 });
  }
  return {
    keystoreFile: join(folder, 'keystore.p12'),
    passwordFile,
    password: readFileSync(passwordFile, 'utf8'),
    pemFile: join(folder, 'ca.pem'),
  };
}

/**
 * Makes a certificate for localhost and 127.0.0.1 unless it is there. Answers what its clients must
 * trust, as PEM. @throws {KafkaStartError}
 */
export async function makeCertificate(keytool: string, files: CertificateFiles): Promise<string> {
  const { keystoreFile, passwordFile, pemFile } = files;
  if (!existsSync(pemFile)) {
    const store = ['-keystore', keystoreFile, '-storetype', 'PKCS12', '-alias', 'kafka'];
    const unlock = ['-storepass:file', passwordFile];
    const key = ['-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', '3650'];
    const name = ['-dname', 'CN=localhost', '-ext', 'SAN=dns:localhost,ip:127.0.0.1'];
    const authority = ['-ext', 'BC:critical=ca:true'];
    const pair = ['-genkeypair', ...store, ...unlock, ...key, ...name, ...authority];
    await keytoolOrThrow(keytool, pair);
    await keytoolOrThrow(keytool, ['-exportcert', ...store, ...unlock, '-rfc', '-file', pemFile]);
  }
  return readFileSync(pemFile, 'utf8');
}

async function keytoolOrThrow(keytool: string, args: readonly string[]): Promise<void> {
  const result = await runCommand(keytool, args);
  if (result.outcome !== 'ended') throw new KafkaStartError(`keytool is ${result.outcome}.`);
  if (result.exitCode !== 0)
    throw new KafkaStartError(`keytool failed: ${lastLines(result.output, 5)}`);
}
