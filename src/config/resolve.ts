import { readFile } from 'node:fs/promises';
import type { KafkaSasl, KafkaTls } from '../kafka/port.ts';
import { accessCondition } from './access-filter.ts';
import { certificateProblem } from './certificate.ts';
import type {
  Config,
  IssuerKey,
  KeyConfig,
  ProjectConfig,
  TlsFiles,
  TrustedIssuer,
  Written,
} from './config.ts';
import { publicKeyProblem } from './public-key.ts';
import { reasonOf } from './problem.ts';
import type { Report } from './rules.ts';
import type { WrittenIssuer, WrittenKey } from './schema.ts';
import { readSecret, resolveFile } from './secret-file.ts';

const minSecretLength = 32;

/** Reads the files that settings name, and puts what belongs together into one value. */
export function resolve(
  written: Written,
  configurationFile: string | undefined,
  report: Report,
): Config {
  const { listen, kafka, auth, cursors, tokens, metrics, ...others } = written;

  const contentOf = (path: string, file: string | null): string | null => {
    if (file === null) return null;
    const place = resolveFile(file, configurationFile);
    try {
      const content = readSecret(place);
      if (content !== '') return content;
      report(path, `${place} is empty`);
    } catch (error) {
      report(path, `cannot be read: ${reasonOf(error)}`);
    }
    return null;
  };
  const secretOf = (
    path: string,
    { value, file }: { readonly value: string | null; readonly file: string | null },
  ): string | null => {
    if (value !== null && file !== null) {
      report(`${path}File`, `is given, and ${path} as well: leave one out`);
    }
    return contentOf(`${path}File`, file) ?? value;
  };

  const checkLength = (path: string, secret: string | null): void => {
    if (secret === null || secret.length >= minSecretLength) return;
    report(
      path,
      `has ${secret.length} characters; at least ${minSecretLength} are needed, such as the output of \`openssl rand -base64 32\``,
    );
  };
  const sharedSecretOf = (
    name: 'cursors' | 'tokens',
    from: { readonly secret: string | null; readonly secretFile: string | null },
  ): string | null => {
    const path = `${name}.secret`;
    const secret = secretOf(path, { value: from.secret, file: from.secretFile });
    checkLength(from.secretFile === null ? path : `${path}File`, secret);
    return secret;
  };
  const issuerKeyOf = (path: string, issuer: WrittenIssuer): IssuerKey | null => {
    const { secretFile, publicKeyFile, jwksUrl } = issuer;
    if (jwksUrl !== null) return { kind: 'jwks', url: jwksUrl };
    const secret = contentOf(`${path}.secretFile`, secretFile);
    checkLength(`${path}.secretFile`, secret);
    if (secret !== null) return { kind: 'secret', secret };
    const pem = contentOf(`${path}.publicKeyFile`, publicKeyFile);
    if (pem === null) return null;
    const problem = publicKeyProblem(pem);
    if (problem !== undefined) report(`${path}.publicKeyFile`, problem);
    return { kind: 'publicKey', pem };
  };

  const metricsToken = secretOf('metrics.token', { value: metrics.token, file: metrics.tokenFile });
  checkLength(metrics.tokenFile === null ? 'metrics.token' : 'metrics.tokenFile', metricsToken);
  const tlsFiles = ({ certFile, keyFile }: Written['listen']['tls']): TlsFiles | null => {
    const cert = contentOf('listen.tls.certFile', certFile);
    const key = contentOf('listen.tls.keyFile', keyFile);
    // One without the other was reported by the rules.
    if (certFile === null || keyFile === null) return null;
    if (cert !== null && key !== null) {
      const problem = certificateProblem({ cert, key });
      if (problem !== undefined) report(`listen.tls.${problem.of}File`, problem.message);
    }
    return {
      certFile: resolveFile(certFile, configurationFile),
      keyFile: resolveFile(keyFile, configurationFile),
    };
  };

  return {
    listen: { ...listen, tls: tlsFiles(listen.tls) },
    ...others,
    kafka: {
      ...kafka,
      ssl: resolveTls(kafka.ssl, contentOf),
      sasl: resolveSasl(kafka.sasl, secretOf, (file) => {
        contentOf('kafka.sasl.tokenFile', file);
        const place = resolveFile(file, configurationFile);
        return async () => (await readFile(place, 'utf8')).trim();
      }),
    },
    auth: { projects: resolveProjects(auth) },
    metrics: {
      token: metricsToken,
      maxTopics: metrics.maxTopics,
      maxProjects: metrics.maxProjects,
    },
    cursors: { secret: sharedSecretOf('cursors', cursors) },
    tokens: {
      secret: sharedSecretOf('tokens', tokens),
      maxExpiresInMs: tokens.maxExpiresInMs,
      trusted: tokens.trusted.flatMap((written, index): TrustedIssuer[] => {
        const { project, issuer, audience } = written;
        const key = issuerKeyOf(`tokens.trusted[${index}]`, written);
        // What is missing was reported.
        return key === null ? [] : [{ project, issuer, audience, key }];
      }),
    },
  };
}

function resolveProjects({ projects, accessKeyFilters }: Written['auth']): ProjectConfig[] {
  const filterOf = ({ filters }: WrittenKey): KeyConfig['filter'] => {
    if (filters.length === 0) return [];
    if (accessKeyFilters === 'refuse') return null;
    const conditions = filters.map(accessCondition);
    // Those that cannot be enforced were reported by the rules.
    return conditions.filter((condition) => typeof condition !== 'string');
  };
  return (projects ?? []).map(({ id, keys }) => ({
    id,
    keys: keys.map((key) => {
      const { filters: _, ...others } = key;
      return { ...others, filter: filterOf(key) };
    }),
  }));
}

function resolveTls(
  ssl: Written['kafka']['ssl'],
  contentOf: (path: string, file: string | null) => string | null,
): KafkaTls | false {
  if (ssl === false) return false;
  const ca = contentOf('kafka.ssl.caFile', ssl.caFile);
  const cert = contentOf('kafka.ssl.certFile', ssl.certFile);
  const key = contentOf('kafka.ssl.keyFile', ssl.keyFile);
  return {
    ...(ca === null ? {} : { ca }),
    ...(cert === null ? {} : { cert }),
    ...(key === null ? {} : { key }),
    ...(ssl.servername === null ? {} : { servername: ssl.servername }),
  };
}

function resolveSasl(
  sasl: Written['kafka']['sasl'],
  secretOf: (
    path: string,
    from: { readonly value: string | null; readonly file: string | null },
  ) => string | null,
  tokenFrom: (file: string) => () => Promise<string>,
): KafkaSasl | null {
  const { mechanism, username, tokenFile } = sasl;
  const password = secretOf('kafka.sasl.password', {
    value: sasl.password,
    file: sasl.passwordFile,
  });
  const token = tokenFile === null ? null : tokenFrom(tokenFile);
  // What is missing here was reported by the rules.
  if (mechanism === null) return null;
  if (mechanism === 'OAUTHBEARER') return token === null ? null : { mechanism, token };
  return username === null || password === null ? null : { mechanism, username, password };
}
