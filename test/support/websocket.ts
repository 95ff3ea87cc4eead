import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server, Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { type ClientOptions, WebSocket, WebSocketServer } from 'ws';

export interface SocketPair {
  /** The server's side. */
  readonly socket: WebSocket;
  /** What carries it. */
  readonly stream: Socket;
  readonly client: WebSocket;
}

/** A WebSocket over loopback, gone with the test. */
export async function socketPair(
  t: TestContext,
  options: ClientOptions = {},
  protocol?: string,
): Promise<SocketPair> {
  const http = createServer();
  // As ours.
  const server = new WebSocketServer({ server: http, allowSynchronousEvents: false });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const accepted = new Promise<{ socket: WebSocket; stream: Socket }>((resolve) => {
    server.once('connection', (socket, request) => resolve({ socket, stream: request.socket }));
  });
  const client = new WebSocket(`ws://127.0.0.1:${portOf(http)}`, protocol, options);
  client.on('error', () => undefined);
  t.after(() => {
    client.terminate();
    server.close();
    http.close();
    http.closeAllConnections();
  });
  const [{ socket, stream }] = await Promise.all([accepted, once(client, 'open')]);
  t.after(() => socket.terminate());
  return { socket, stream, client };
}

/** Where a server listens. */
export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('listening on no port');
  return address.port;
}
