import type { TestContext } from 'node:test';
import { type ClientOptions, WebSocket } from 'ws';
import { Reception } from './reception.ts';
import type { Ending } from './transport.ts';

export interface RawSocketOptions extends ClientOptions {
  readonly url: string;
  readonly protocol: string;
  readonly onOpen?: (send: (message: object) => void) => void;
  readonly onMessage: (text: string, socket: RawSocket) => void;
}

/** What a transport over WebSocket does with its socket. */
export interface RawSocket {
  readonly reception: Reception;
  readonly send: (message: object) => void;
  /** What the server says is the reason; the reception ends with it when the socket is closed. */
  readonly failed: (error: Pick<Ending, 'code' | 'message' | 'argument'>) => void;
}

/** A WebSocket whose messages are looked at as they are; gone with the test. */
export function openSocket(t: TestContext, options: RawSocketOptions): Reception {
  const { url, protocol, onOpen, onMessage, ...clientOptions } = options;
  const socket = new WebSocket(url.replace('http', 'ws'), protocol, clientOptions);
  t.after(() => socket.terminate());
  const reception = new Reception({
    stall: () => socket.pause(),
    resume: () => socket.resume(),
    stop: () => socket.close(),
  });
  let error: Pick<Ending, 'code' | 'message' | 'argument'> | undefined;
  const send = (message: object): void => socket.send(JSON.stringify(message));
  const raw: RawSocket = {
    reception,
    send,
    failed(reason) {
      error = reason;
    },
  };
  socket.on('open', () => onOpen?.(send));
  socket.on('message', (data: Buffer) => onMessage(data.toString(), raw));
  socket.on('error', ({ message }) =>
    reception.end({ code: undefined, message, argument: undefined }),
  );
  socket.on('close', (closeCode, reason) => {
    const told = error ?? { code: undefined, message: reason.toString(), argument: undefined };
    reception.end({ ...told, closeCode });
  });
  return reception;
}
