import { randomInt } from 'node:crypto';
import type { Server } from 'node:net';
import { createServer } from 'node:net';

/**
 * Below the range that systems hand out for outgoing connections (Linux: from 32768), so that a
 * node that is down for a while finds its ports free when it comes back.
 */
const lowest = 15_000;
const highest = 32_000;

/** Loopback ports on which nobody listens at this moment, no two alike. */
export async function freePorts(count: number): Promise<number[]> {
  const held: Server[] = [];
  const ports: number[] = [];
  try {
    for (let tries = 0; ports.length < count; tries += 1) {
      if (tries > count * 100) throw new Error('Found no free ports on 127.0.0.1.');
      const port = randomInt(lowest, highest);
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
