import { fileURLToPath } from 'node:url';
import type { Environment } from '../../src/config/environment.ts';
import { type LoadedConfig, loadConfig } from '../../src/config/load.ts';
import { StartError } from './start-error.ts';

const file = fileURLToPath(new URL('millrace.yaml', import.meta.url));

/** Of the scripts, not of the server, which would take them for misspelt settings. */
const notSettings = /^MILLRACE_(DEMO(_|$)|CACHE_DIR$|TEST_|CONFIG$)/;

/** What `npm start` is told beside the server's settings. */
export interface DemoSettings {
  /** `MILLRACE_DEMO=off`: no topics are created and nothing is written. @default true */
  readonly producer: boolean;
  /** `MILLRACE_DEMO_RATE` multiplies all rates. @default 1 */
  readonly rate: number;
}

/** @throws {StartError} */
export function demoSettings(env: Environment): DemoSettings {
  // What is set to nothing counts as not set, as with the server's settings.
  const demo = env['MILLRACE_DEMO'] || 'on';
  if (demo !== 'on' && demo !== 'off') {
    throw new StartError(`MILLRACE_DEMO is ${demo}; it can be on or off.`);
  }
  return { producer: demo === 'on', rate: demoRate(env['MILLRACE_DEMO_RATE'] || '1') };
}

/** Above 0, at most 1,000. @throws {StartError} */
export function demoRate(text: string): number {
  const rate = Number(text);
  if (rate > 0 && rate <= 1_000) return rate;
  throw new StartError(`A rate of ${text} cannot be had: 1 is usual, 1000 the highest.`);
}

/**
 * The demo's configuration file, and the environment over it as the server has it, with
 * `kafkaSettings` (variables as well) where the environment is silent.
 */
export function demoConfig(kafkaSettings: Environment, env: Environment): LoadedConfig {
  const settings = Object.entries(env).filter(
    ([name, value]) => value !== '' && !notSettings.test(name),
  );
  return loadConfig({ file, env: { ...kafkaSettings, ...Object.fromEntries(settings) } });
}
