import { type IncomingMessage, request } from 'node:http';
import { WebSocket } from 'ws';

/** A connection of a client, whose end is told to nobody who does not ask. */
export interface Wire {
  /** What it is, for a report. */
  readonly name: string;
  /** Resolves with how it ended, once it has. */
  readonly ended: Promise<string>;
  readonly isOpen: boolean;
  /** The client takes nothing for a while. */
  pause(): void;
  resume(): void;
  /** In good order. */
  close(): void;
  /** Without a word. */
  cut(): void;
}

export interface SocketWire extends Wire {
  /** A no-op when it is not open. */
  readonly send: (message: object) => void;
}

export interface SocketOptions {
  /** `http:` */
  readonly url: string;
  readonly protocol: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly onOpen: (wire: SocketWire) => void;
  readonly onMessage: (text: string, wire: SocketWire) => void;
}

export function openSocket(options: SocketOptions): SocketWire {
  const { url, protocol, headers = {}, onOpen, onMessage } = options;
  const ended = Promise.withResolvers<string>();
  const socket = new WebSocket(url.replace('http', 'ws'), protocol, {
    headers,
    handshakeTimeout: 20_000,
    perMessageDeflate: false,
  });
  const wire: SocketWire = {
    name: `${protocol} ${new URL(url).pathname}`,
    ended: ended.promise,
    get isOpen() {
      return socket.readyState === socket.OPEN;
    },
    send: (message) => {
      if (wire.isOpen) socket.send(JSON.stringify(message));
    },
    pause() {
      if (wire.isOpen) socket.pause();
    },
    resume: () => socket.resume(),
    close: () => socket.close(1000),
    cut: () => socket.terminate(),
  };
  socket.on('open', () => onOpen(wire));
  socket.on('message', (text: Buffer) => onMessage(text.toString(), wire));
  socket.on('error', (error) => ended.resolve(error.message));
  socket.on('close', (code) => ended.resolve(`close ${code}`));
  return wire;
}

export interface StreamOptions extends AskOptions {
  readonly onChunk: (text: string) => void;
}

/** A response that goes on and on, of server-sent events. */
export function openStream({ url, method, headers, body, onChunk }: StreamOptions): Wire {
  const ended = Promise.withResolvers<string>();
  let answer: IncomingMessage | undefined;
  const asked = request(url, {
    method: method ?? 'GET',
    agent: false,
    headers: { accept: 'text/event-stream', ...headers },
  });
  asked.on('response', (response) => {
    answer = response;
    response.setEncoding('utf8');
    response.on('data', onChunk);
    response.on('error', () => undefined);
    response.on('close', () => ended.resolve(`HTTP ${response.statusCode}`));
  });
  asked.on('error', ({ message }) => ended.resolve(message));
  asked.on('close', () => ended.resolve('no answer'));
  asked.end(body);
  return {
    name: `event stream ${new URL(url).pathname}`,
    ended: ended.promise,
    get isOpen() {
      return answer !== undefined && !asked.destroyed;
    },
    pause: () => answer?.pause(),
    resume: () => answer?.resume(),
    close: () => asked.destroy(),
    cut: () => asked.destroy(),
  };
}

export interface AskOptions {
  readonly url: string;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface Answer {
  /** 0: there was none. */
  readonly status: number;
  readonly body: string;
}

/** On a connection of its own, which goes with the answer. */
export function ask({ url, method, headers, body }: AskOptions): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const asked = request(url, { method: method ?? 'GET', agent: false, headers: { ...headers } });
  let text = '';
  asked.on('response', (response) => {
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      text += chunk;
    });
    response.on('error', () => undefined);
    response.on('close', () => resolve({ status: response.statusCode ?? 0, body: text }));
  });
  asked.on('error', () => resolve({ status: 0, body: '' }));
  asked.end(body);
  return promise;
}
