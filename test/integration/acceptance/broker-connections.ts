import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import type { TestContext } from 'node:test';

/** The connections of this process to one listener of a broker; not those over TLS. */
export interface BrokerConnections {
  /** Now. */
  readonly open: number;
  /** Tried so far, whatever became of them. */
  readonly made: number;
}

/** Watches from now on: whatever was connected before is not counted. */
export function watchConnections(t: TestContext, broker: string): BrokerConnections {
  const port = Number(broker.slice(broker.lastIndexOf(':') + 1));
  const open = new Set<Socket>();
  let made = 0;
  const watch = (message: unknown): void => {
    const { socket }: { socket: Socket } = Object(message);
    // An attempt that fails has no port any more: the channel is told before it is begun.
    socket.once('connectionAttempt', (_address, attempted) => {
      if (attempted === port) made += 1;
    });
    socket.once('connect', () => {
      if (socket.remotePort === port) open.add(socket);
    });
    socket.once('close', () => open.delete(socket));
  };
  subscribe('net.client.socket', watch);
  t.after(() => unsubscribe('net.client.socket', watch));
  return {
    get open() {
      return open.size;
    },
    get made() {
      return made;
    },
  };
}
