import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Where the path of a `...File` setting leads: it is relative to the configuration file. */
export function resolveFile(path: string, configurationFile: string | undefined): string {
  return resolve(configurationFile === undefined ? '.' : dirname(configurationFile), path);
}

/** The text of a secret's file, without the newline that editors put at the end. */
export function readSecret(path: string): string {
  return readFileSync(path, 'utf8').replace(/\r?\n$/, '');
}
