import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { recipesDirectory } from '../../scripts/recipes.ts';

const commands = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));

export interface RecipeSettings {
  /** Where the server is. */
  readonly url: string;
  /** Of the project acme. */
  readonly key: string;
  /** Where its commands are. @default those of the development dependencies, and the system's */
  readonly path?: string | undefined;
}

/** Runs a recipe as its reader would, until the test ends. */
export function startRecipe(
  t: TestContext,
  recipe: string,
  { url, key, path = `${commands}:${process.env['PATH']}` }: RecipeSettings,
): ChildProcessWithoutNullStreams {
  return runProgram(t, recipe.endsWith('.sh') ? bash : process.execPath, {
    args: [fileURLToPath(new URL(recipe, recipesDirectory))],
    env: { PATH: path, MILLRACE_URL: url, MILLRACE_PROJECT: 'acme', MILLRACE_KEY: key },
  });
}

/** By its path, as a test may leave nothing on the path. */
const bash = ['/bin/bash', '/usr/bin/bash'].find((file) => existsSync(file)) ?? 'bash';

/** Runs a program with what it has started, until the test ends. */
export function runProgram(
  t: TestContext,
  program: string,
  { args, env = {} }: { readonly args: readonly string[]; readonly env?: NodeJS.ProcessEnv },
): ChildProcessWithoutNullStreams {
  const child = spawn(program, args, {
    // A group of its own: what a script has started ends with it.
    detached: true,
    cwd: fileURLToPath(new URL('../../', import.meta.url)),
    env: { ...process.env, ...env },
  });
  t.after(() => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  });
  return child;
}
