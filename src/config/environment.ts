import { parseDocument } from 'yaml';
import type { ValueType } from './setting.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const prefix = 'MILLRACE_';

/** What workers of one machine get from their supervisor: a secret for tokens that all of them have. */
export const workerSecretVariable = 'MILLRACE_WORKER_SECRET';

/** Variables of the same prefix that are not settings. */
const others = new Set(['MILLRACE_CONFIG', workerSecretVariable]);

/** What Kubernetes tells every pod about a Service named `millrace`: not meant as settings. */
const kubernetesService =
  /^MILLRACE_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?)$/;

/** `kafka.sasl.passwordFile` -> `MILLRACE_KAFKA_SASL_PASSWORD_FILE`. */
export function variableName(path: string): string {
  const words = path.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replaceAll('.', '_');
  return prefix + words.toUpperCase();
}

/** The variables that can only be meant for Millrace. One that is set to nothing counts as not set. */
export function ownVariables(environment: Environment): Map<string, string> {
  const own = new Map<string, string>();
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(prefix) || others.has(name) || kubernetesService.test(name)) continue;
    if (value !== undefined && value !== '') own.set(name, value);
  }
  return own;
}

/** What a variable's text stands for, ready for the schema. Throws where YAML is expected and is not. */
export function readVariable(value: string, type: ValueType<unknown>): unknown {
  if (type.environment === 'text') return value;
  if (type.environment === 'list') {
    return value
      .split(',')
      .map((element) => element.trim())
      .filter((element) => element !== '');
  }
  const document = parseDocument(value, { prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) throw error;
  return document.toJS();
}
