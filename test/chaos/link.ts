import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { WebSocket } from 'ws';
import { basic, type Login } from '../support/graphql-client.ts';

export interface LinkOptions {
  readonly url: string;
  readonly login: Login;
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Each result of the subscription: `{ data }` or `{ errors }`. */
  readonly onResult: (result: unknown) => void;
  /** Called once: the subscription is over, or the connection gone. */
  readonly onClose: (reason: string) => void;
}

/** One subscription on a connection of its own. */
export interface Link {
  /** The client takes nothing for a while. */
  pause(): void;
  resume(): void;
  /** At the most so many bytes, while it is paused. Only an event stream can. */
  take?(bytes: number): void;
  /** Without a word. */
  cut(): void;
}

/** By graphql-transport-ws. */
export function openWebSocket(options: LinkOptions): Link {
  const { url, login, query, variables, onResult, onClose } = options;
  const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', {
    handshakeTimeout: 5_000,
  });
  const close = once(onClose);
  const send = (message: object): void => socket.send(JSON.stringify(message));
  socket.on('open', () => send({ type: 'connection_init', payload: login }));
  socket.on('message', (text: Buffer) => {
    const message = JSON.parse(text.toString());
    switch (message.type) {
      case 'connection_ack':
        return send({ id: '1', type: 'subscribe', payload: { query, variables } });
      case 'ping':
        return send({ type: 'pong' });
      case 'next':
        return onResult(message.payload);
      case 'error':
        onResult({ errors: message.payload });
        return socket.terminate();
      case 'complete':
        return socket.terminate();
    }
  });
  socket.on('error', () => undefined);
  socket.on('close', (code) => close(`closed ${code}`));
  return {
    pause: () => {
      if (socket.readyState === socket.OPEN) socket.pause();
    },
    resume: () => {
      if (socket.readyState === socket.OPEN) socket.resume();
    },
    cut: () => socket.terminate(),
  };
}

/** By GraphQL over SSE, distinct connections. */
export function openEventStream(options: LinkOptions): Link {
  const { url, login, query, variables, onResult, onClose } = options;
  const close = once(onClose);
  let response: IncomingMessage | undefined;
  let text = '';
  const asked: ClientRequest = request(`${url}/graphql`, {
    method: 'POST',
    agent: false,
    headers: {
      accept: 'text/event-stream',
      'content-type': 'application/json',
      authorization: basic(login),
    },
  });
  asked.on('response', (answer) => {
    response = answer;
    answer.setEncoding('utf8');
    answer.on('data', (chunk: string) => {
      const events = (text + chunk).split('\n\n');
      text = events.pop() ?? '';
      for (const event of events) {
        const [, data] = /^event: next\ndata: (.*)$/s.exec(event) ?? [];
        if (data !== undefined) onResult(JSON.parse(data));
      }
    });
    answer.on('error', () => undefined);
    answer.on('close', () => close(`ended ${answer.statusCode}`));
  });
  const unanswered = (): void => {
    // Of an answer that is complete some may still be to be read: until then it is not over.
    if (response === undefined) close('no answer');
  };
  asked.on('error', unanswered);
  asked.on('close', unanswered);
  asked.end(JSON.stringify({ query, variables }));
  return {
    pause: () => response?.pause(),
    resume: () => response?.resume(),
    // What is read goes to the listener, too.
    take: (bytes) => void response?.read(bytes),
    cut: () => asked.destroy(),
  };
}

function once(action: (reason: string) => void): (reason: string) => void {
  let isDone = false;
  return (reason) => {
    if (isDone) return;
    isDone = true;
    action(reason);
  };
}
