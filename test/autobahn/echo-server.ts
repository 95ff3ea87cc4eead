import { once } from 'node:events';
import { createLogger } from '../../src/observe/logger.ts';
import { createHttpServer, type SocketRoute } from '../../src/transports/http-server.ts';
import { rawText } from '../../src/transports/websocket/raw-text.ts';
import { SharedMessage } from '../../src/transports/websocket/shared-message.ts';
import { portOf } from '../support/websocket.ts';

/** Autobahn's largest message. */
const maxInboundFrameBytes = 16 * 2 ** 20;

/** What Autobahn talks to: sends each message back, texts in the frames that subscribers get. */
const echo: SocketRoute = {
  protocols: [],
  serve(socket, stream) {
    const compresses = socket.extensions.includes('permessage-deflate');
    socket.on('message', (data, isBinary) => {
      if (isBinary) {
        socket.send(data, { binary: true });
      } else if (socket.readyState === socket.OPEN) {
        for (const part of new SharedMessage(rawText(data)).frame('', compresses)) {
          stream.write(part);
        }
      }
    });
  },
};

/** The server's WebSockets on their own, with compression. */
export async function openEchoServer(): Promise<{ port: number; close: () => void }> {
  const { server, sockets } = createHttpServer({
    routes: [],
    socketRoutes: [['/', echo]],
    allowedOrigins: [],
    maxInboundFrameBytes,
    compression: true,
    maxStallMs: 60_000,
    logger: createLogger({ level: 'silent' }),
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: portOf(server),
    close() {
      server.close();
      for (const socket of sockets) socket.terminate();
    },
  };
}
