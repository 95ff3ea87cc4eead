import { randomInt } from 'node:crypto';
import type { Server } from 'node:net';
import { createServer } from 'node:net';

/**
 * Below the range that systems hand out for outgoing connections (Linux: from 32768), so that a
 * node that is down for a while finds its ports free when it comes back.
 */
const lowest = 15_000;
/** Each process takes its ports from a part of its own, which it holds by listening on the first one. */
const portsPerPart = 100;
const parts = 170;

/** What this process takes its ports from. */
interface Part {
  readonly first: number;
  /** What is given out next: one that was given out before may belong to somebody who is down for a while. */
  next: number;
}

let own: Promise<Part> | undefined;

/**
 * Loopback ports on which nobody listens at this moment, no two alike, which no other process gets from here while this
 * one runs. @param count less than 100
 */
export async function freePorts(count: number): Promise<number[]> {
  own ??= takePart();
  const part = await own;
  const held: Server[] = [];
  const ports: number[] = [];
  try {
    for (let tries = 0; ports.length < count; tries += 1) {
      if (tries >= portsPerPart) throw new Error('Found no free ports on 127.0.0.1.');
      const port = part.first + part.next;
      part.next = (part.next % (portsPerPart - 1)) + 1;
      const server = await listen(port);
      if (server === null) continue;
      held.push(server);
      ports.push(port);
    }
    return ports;
  } finally {
    await Promise.all(held.map((server) => new Promise((closed) => server.close(closed))));
  }
}

/** Whether nobody listens on a loopback port at this moment. */
export async function isFree(port: number): Promise<boolean> {
  const server = await listen(port);
  if (server === null) return false;
  await new Promise((closed) => server.close(closed));
  return true;
}

async function takePart(): Promise<Part> {
  for (let tries = 0; tries < parts * 10; tries += 1) {
    const first = lowest + randomInt(parts) * portsPerPart;
    const mark = await listen(first);
    if (mark === null) continue;
    mark.unref();
    return { first, next: 1 };
  }
  throw new Error('Found no free ports on 127.0.0.1.');
}

function listen(port: number): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(null);
      else reject(error);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve(server));
  });
}
