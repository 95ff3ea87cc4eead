import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'node:test';

export interface ExampleOptions {
  /** Where it listens. */
  readonly port: number;
  /** Where it finds Millrace. */
  readonly millrace: string;
}

/** The backend of an example, in a process that ends with the test. Answers where its page is. */
export async function startExample(
  t: TestContext,
  name: 'browser' | 'dashboard' | 'react' | 'vue',
  { port, millrace }: ExampleOptions,
): Promise<string> {
  const file = fileURLToPath(new URL(`../../examples/${name}/backend.ts`, import.meta.url));
  const child = spawn(process.execPath, [file], {
    env: {
      ...process.env,
      PORT: String(port),
      MILLRACE_URL: millrace,
      MILLRACE_KEY: 'acme-read',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill());
  for await (const line of createInterface(child.stdout)) {
    return /http:\S+/.exec(line)?.[0] ?? assert.fail(line);
  }
  return assert.fail('the backend ended');
}
