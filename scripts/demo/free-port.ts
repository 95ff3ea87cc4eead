import { once } from 'node:events';
import { createServer } from 'node:net';
import { StartError } from './start-error.ts';

const tries = 100;

/** The first port from `first` on where nobody listens at this moment. @throws {StartError} */
export async function freePortFrom(host: string, first: number): Promise<number> {
  const last = Math.min(first + tries - 1, 65_535);
  for (let port = first; port <= last; port++) {
    if (await isFree(host, port)) return port;
  }
  throw new StartError(`The ports ${first} to ${last} of ${host} are all in use.`);
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, 'listening');
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return false;
    throw error;
  } finally {
    server.close();
  }
}
