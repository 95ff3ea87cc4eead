import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What a process has open, by the kernel's account. */
export interface Descriptors {
  readonly all: number;
  /** Connections to any of the ports of brokers. */
  readonly kafka: number;
  /** Connections of clients to the port that it listens on, those in the course of being closed included. */
  readonly clients: number;
}

interface Ends {
  readonly localPort: number;
  /** 0: it listens. */
  readonly remotePort: number;
}

/** @param brokers `host:port`. For Linux. */
export function descriptorsOf(pid: number, port: number, brokers: readonly string[]): Descriptors {
  const kafkaPorts = new Set(brokers.map((broker) => portOf(broker)));
  const connections = connectionsByInode();
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`));
  const ends = links.flatMap((link) => {
    const [, inode = ''] = /^socket:\[(\d+)\]$/.exec(link ?? '') ?? [];
    return connections.get(inode) ?? [];
  });
  return {
    all: links.filter((link) => link !== undefined).length,
    kafka: ends.filter(({ remotePort }) => kafkaPorts.has(remotePort)).length,
    clients: ends.filter(({ localPort, remotePort }) => localPort === port && remotePort !== 0)
      .length,
  };
}

function connectionsByInode(): ReadonlyMap<string, Ends> {
  const connections = new Map<string, Ends>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readFileSync(table, 'utf8').split('\n')) {
      const [, local, remote, , , , , , , inode] = line.trim().split(/\s+/);
      if (local === undefined || remote === undefined || inode === undefined) continue;
      connections.set(inode, { localPort: hexPortOf(local), remotePort: hexPortOf(remote) });
    }
  }
  return connections;
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    // It was closed since the folder was read.
    return undefined;
  }
}

function portOf(broker: string): number {
  return Number(broker.slice(broker.lastIndexOf(':') + 1));
}

function hexPortOf(address: string): number {
  return Number.parseInt(address.slice(address.lastIndexOf(':') + 1), 16);
}
