import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lastLines, runCommand } from './command.ts';

/** What the TLS listener shows, and what its clients trust. */
export interface Certificate {
  /** PKCS #12. */
  readonly keystoreFile: string;
  readonly password: string;
  /** The certificate, which signs itself, so that it is its own authority. */
  readonly caPem: string;
}

/** Makes a certificate for localhost and 127.0.0.1, or takes the one that is in `folder`. */
export async function certificate(keytool: string, folder: string): Promise<Certificate> {
  const keystoreFile = join(folder, 'keystore.p12');
  const passwordFile = join(folder, 'keystore.password');
  const pemFile = join(folder, 'ca.pem');
  if (!existsSync(pemFile)) {
    writeFileSync(passwordFile, randomBytes(18).toString('base64url'), { mode: 0o600 });
    const store = ['-keystore', keystoreFile, '-storetype', 'PKCS12', '-alias', 'kafka'];
    const unlock = ['-storepass:file', passwordFile];
    const key = ['-keyalg', 'EC', '-groupname', 'secp256r1', '-validity', '3650'];
    const name = ['-dname', 'CN=localhost', '-ext', 'SAN=dns:localhost,ip:127.0.0.1'];
    const authority = ['-ext', 'BC:critical=ca:true'];
    const pair = ['-genkeypair', ...store, ...unlock, ...key, ...name, ...authority];
    await keytoolOrThrow(keytool, pair);
    await keytoolOrThrow(keytool, ['-exportcert', ...store, ...unlock, '-rfc', '-file', pemFile]);
  }
  return {
    keystoreFile,
    password: readFileSync(passwordFile, 'utf8'),
    caPem: readFileSync(pemFile, 'utf8'),
  };
}

async function keytoolOrThrow(keytool: string, args: readonly string[]): Promise<void> {
  const result = await runCommand(keytool, args);
  if (result.outcome !== 'ended') throw new Error(`keytool: ${result.outcome}.`);
  if (result.exitCode !== 0) throw new Error(`keytool failed: ${lastLines(result.output, 5)}`);
}
