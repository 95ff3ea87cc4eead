import { readFileSync } from 'node:fs';

/**
 * The connections of this machine to a broker's listener that there are or were within the last minute, by
 * Linux's table: a connection that was closed stays in it for so long. Each is one login where that
 * listener wants one.
 */
export function recentConnections(broker: string): ReadonlySet<string> {
  const port = Number(broker.slice(broker.lastIndexOf(':') + 1));
  const remote = port.toString(16).toUpperCase().padStart(4, '0');
  const local = new Set<string>();
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n')) {
    const [, from, to] = /^\s*\d+: (\S+) \S+:(\S+) /.exec(line) ?? [];
    if (to === remote && from !== undefined) local.add(from);
  }
  return local;
}
