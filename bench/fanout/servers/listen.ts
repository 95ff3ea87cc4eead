import { once } from 'node:events';
import type { Server } from 'node:http';

/** Listens on a free port and tells it in a line. */
export async function listen(server: Server): Promise<void> {
  // As many connections come at once as the client opens.
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 });
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('listening on no port');
  console.log(`listening on 127.0.0.1:${address.port}`);
}
