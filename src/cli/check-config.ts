import { loadConfig } from '../config/load.ts';
import { printFindings } from './print-findings.ts';

/** Prints what is wrong with the configuration. Returns the exit code. */
export function checkConfig(file: string | undefined): number {
  const loaded = loadConfig({ file, env: process.env });
  printFindings(loaded, file);
  if (loaded.config === null) return 1;
  process.stdout.write('configuration is valid\n');
  return 0;
}
