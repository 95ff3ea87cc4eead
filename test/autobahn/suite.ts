import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { lastLines, runCommand } from '../../scripts/kafka/command.ts';
import { cacheDir } from '../../scripts/kafka/libs.ts';
import { openEchoServer } from './echo-server.ts';

/** Autobahn's cases, which are of Python 2, with a runner for Python 3. From PyPI. */
const runner = 'kosoku==0.1.0';
const python = 'python3';
const installWithinMs = 2 * 60_000;
const runWithinMs = 10 * 60_000;

const uncompressed =
  'the runner cannot take an uncompressed message where compression is agreed on';

/** Cases that cannot be played, or that the server is right not to pass. */
export const leftOut = [
  {
    cases: ['9.3.1', '9.4.1'],
    reason: '65,536 fragments of one message: ws takes 16,384, and closes with 1008',
  },
  {
    cases: ['12.2.*', '12.3.*', '12.5.*'],
    reason: `binary messages, which the server never sends: ${uncompressed}`,
  },
  {
    cases: ['12.1', '12.4', '13.1', '13.2', '13.4', '13.6', '13.7'].flatMap((group) => [
      `${group}.1`,
      `${group}.2`,
    ]),
    reason: `messages too small to be worth compressing: ${uncompressed}`,
  },
  {
    cases: ['13.3.*', '13.5.*'],
    reason: 'offers that leave the server a part of its window, which it declines',
  },
] as const;

/** The runner on this machine, or one sentence that says why it is not. */
export type AutobahnRunner =
  | { readonly ok: true; readonly directory: string }
  | { readonly ok: false; readonly reason: string };

/** How the server did in each case, by its number: `6.4.1`. */
export interface CaseVerdict {
  readonly behavior: string;
  readonly behaviorClose: string;
}

/** The runner, installed by pip where an earlier run has not left it. The folder appears by one rename. */
export async function fetchRunner(): Promise<AutobahnRunner> {
  const directory = join(cacheDir(), 'autobahn', runner);
  if (existsSync(directory)) return { ok: true, directory };
  mkdirSync(dirname(directory), { recursive: true });
  const download = `${directory}.${randomUUID()}`;
  const install = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', download, runner];
  try {
    const result = await runCommand(python, install, { timeoutMs: installWithinMs });
    if (result.outcome !== 'ended') {
      return { ok: false, reason: `Autobahn needs ${python} 3.10 with pip (${result.outcome})` };
    }
    if (result.exitCode !== 0) {
      return { ok: false, reason: `pip cannot install ${runner}: ${lastLines(result.output, 3)}` };
    }
    if (!existsSync(directory)) renameSync(download, directory);
    return { ok: true, directory };
  } finally {
    rmSync(download, { recursive: true, force: true });
  }
}

/**
 * Plays Autobahn's cases against the server's WebSockets.
 *
 * @param exclude numbers of cases beside `leftOut`: `9.*`
 * @throws if the runner itself fails
 */
export async function playAutobahn(
  directory: string,
  exclude: readonly string[],
): Promise<ReadonlyMap<string, CaseVerdict>> {
  const server = await openEchoServer();
  const reports = mkdtempSync(join(tmpdir(), 'autobahn-'));
  try {
    const path = `import sys; sys.path.insert(0, ${JSON.stringify(directory)})`;
    const start = `${path}; from kosoku._cli import main; main()`;
    const options = ['--mode=fuzzingclient', '--parallelism=2', `--outdir=${reports}`];
    const excluded = [...leftOut.flatMap(({ cases }) => cases), ...exclude].map(
      (cases) => `--exclude=${cases}`,
    );
    const result = await runCommand(
      python,
      ['-c', start, ...options, ...excluded, `127.0.0.1:${server.port}`],
      { timeoutMs: runWithinMs },
    );
    const index = join(reports, 'index.json');
    if (!existsSync(index)) throw new Error(`Autobahn has not played: ${JSON.stringify(result)}`);
    const agents: Record<string, Record<string, CaseVerdict>> = JSON.parse(
      readFileSync(index, 'utf8'),
    );
    return new Map(Object.values(agents).flatMap((cases) => Object.entries(cases)));
  } finally {
    server.close();
    rmSync(reports, { recursive: true, force: true });
  }
}

/** `NON-STRICT` is right by the RFC, and not what Autobahn would like best. */
export function isConformant({ behavior, behaviorClose }: CaseVerdict): boolean {
  const isRight = ['OK', 'NON-STRICT', 'INFORMATIONAL'].includes(behavior);
  return isRight && ['OK', 'INFORMATIONAL'].includes(behaviorClose);
}
