import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { portOf } from './websocket.ts';

/** A way to a server that can be cut: what goes to its port is passed on. */
export class Line {
  readonly url: string;
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  constructor(url: string) {
    this.url = url;
  }

  /** Ends all connections without a word, and lets none through until it is mended. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  /** Ends all connections without a word; new ones get through. */
  interrupt(): void {
    this.cut();
    this.mend();
  }

  /** For the server behind it. */
  carry(incoming: Socket, port: number): void {
    if (this.#isCut) {
      incoming.destroy();
      return;
    }
    const outgoing = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      this.#sockets.add(from);
      from.pipe(to);
      // The other side learns of it by its end.
      from.on('error', () => undefined);
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
  }
}

/** A line to a port of this machine, gone with the test. @param port where it begins. @default any */
export async function openLine(t: TestContext, to: number, port = 0): Promise<Line> {
  const server = createServer((socket) => line.carry(socket, to));
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const line = new Line(`http://127.0.0.1:${portOf(server)}`);
  t.after(() => {
    server.close();
    line.cut();
  });
  return line;
}
