import { styleText } from 'node:util';
import type { DemoKey, DemoProject } from './projects.ts';

/** What `npm start` tells. */
export interface BannerFacts {
  /** Where the server listens, without a path. */
  readonly url: string;
  /** Brokers, for other tools; empty: the embedded log. */
  readonly brokers: readonly string[];
  /** Whether Kafka is somebody's own, which goes on when the demo ends. */
  readonly isForeign: boolean;
  readonly projects: readonly DemoProject[];
  /** What is being written, in a few words; `null`: nothing. */
  readonly producing: string | null;
}

const keyWidth = 24;

/** Text for a terminal; colours only where standard output is one that has them. */
export function banner({ url, brokers, isForeign, projects, producing }: BannerFacts): string {
  const [project] = projects;
  const readKey = project?.keys.find(({ name }) => name === 'read');
  const lines = [
    '',
    fact('Console', styleText(['bold', 'cyan'], `${url}/console`)),
    fact('GraphiQL', `${url}/graphql`),
    ...(brokers.length === 0 ? [] : [fact('Kafka', brokers.join(','))]),
    fact('Events', producing ?? 'none are written: MILLRACE_DEMO is off'),
    '',
    ...projects.flatMap(projectLines),
  ];
  if (project !== undefined && readKey !== undefined) {
    const command = subscribeCommand(url, project.id, readKey.key);
    lines.push(
      '  Subscribe, in another terminal:',
      '',
      ...command.map((line) => `    ${line}`),
      '',
    );
  }
  const ending = isForeign ? 'the server and its events; Kafka goes on' : 'everything';
  lines.push(styleText('dim', `  Ctrl-C stops ${ending}.`), '');
  return lines.join('\n');
}

/** A command line for a POSIX shell, over several lines. */
function subscribeCommand(url: string, projectId: string, key: string): string[] {
  const query = 'subscription { events(topic: "purchases") { id timestamp late payload } }';
  return [
    `curl -N -u ${projectId}:${key} ${url}/graphql \\`,
    "  -H 'accept: text/event-stream' -H 'content-type: application/json' \\",
    `  -d '${JSON.stringify({ query })}'`,
  ];
}

function projectLines({ id, keys }: DemoProject): string[] {
  return [fact('Project', styleText('bold', id)), ...keys.map(keyLine), ''];
}

function keyLine({ name, key, refusal }: DemoKey): string {
  const note = refusal === undefined ? '' : styleText('dim', `refused: ${refusal}`);
  return fact(`  ${name} key`, refusal === undefined ? key : `${key.padEnd(keyWidth)}${note}`);
}

function fact(name: string, value: string): string {
  return `  ${name.padEnd(14)}${value}`;
}
