import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { portOf } from './websocket.ts';

/** A way to a server, of which the clients know the beginning only. */
export interface Link {
  /** Where it begins: `http://127.0.0.1:…`. */
  readonly url: string;
  /** Resets all connections, in the middle of whatever goes over them. */
  cut(): void;
  /** Leads new connections to another server; undefined: to none, they are refused. */
  leadTo(url: string | undefined): void;
}

/** A link to the server at `url`, gone with the test. */
export async function openLink(t: TestContext, url: string): Promise<Link> {
  let target: URL | undefined = new URL(url);
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    // That a connection is cut is what this is for.
    socket.on('error', () => undefined);
    socket.once('close', () => sockets.delete(socket));
  };
  const server = createServer((near) => {
    keep(near);
    if (target === undefined) {
      near.resetAndDestroy();
      return;
    }
    const far = connect({ host: target.hostname, port: Number(target.port) });
    keep(far);
    near.pipe(far).pipe(near);
    near.once('close', () => far.destroy());
    far.once('close', () => near.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const link: Link = {
    url: `http://127.0.0.1:${portOf(server)}`,
    cut() {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    leadTo(next) {
      target = next === undefined ? undefined : new URL(next);
    },
  };
  t.after(() => {
    server.close();
    link.cut();
  });
  return link;
}
