import { authorizationOf } from '../../support/graphql-client.ts';
import { openEventStream } from './raw-event-stream.ts';
import { openSocket, type RawSocketOptions } from './raw-socket.ts';
import { type Ending, itemAt, type Request, type Transport } from './transport.ts';

function addressOf(url: string, { holds, topic, arguments: given }: Request): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(given)) {
    query.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  const path = `${encodeURIComponent(topic)}${holds === 'events' ? '' : '/dead-letters'}`;
  return `${url}/feeds/${path}?${query}`;
}

const onMessage: RawSocketOptions['onMessage'] = (text, { reception, failed }) => {
  const message = Object(JSON.parse(text));
  if (message.type === 'error') failed(endingOf(message));
  else if (isItem(message.type)) reception.take(itemAt(text, message.type));
};

/** The plain feed over WebSocket, let in by its first message. */
export const plainWs: Transport = {
  name: 'millrace.v1 over WebSocket',
  label: 'feed-ws',
  isLineBased: false,
  subscribe: (t, url, login, request) =>
    openSocket(t, {
      url: addressOf(url, request),
      protocol: 'millrace.v1',
      onOpen: (send) => send({ type: 'auth', ...login }),
      onMessage,
    }),
};

/** The plain feed over WebSocket, let in by the header of the handshake. */
export const plainWsByHeader: Transport = {
  name: 'millrace.v1 over WebSocket, by header',
  label: 'feed-ws',
  isLineBased: false,
  subscribe: (t, url, login, request) =>
    openSocket(t, {
      url: addressOf(url, request),
      protocol: 'millrace.v1',
      headers: { authorization: login ? authorizationOf(login) : '' },
      onMessage,
    }),
};

/** The plain feed over SSE. */
export const plainSse: Transport = {
  name: 'millrace.v1 over SSE',
  label: 'feed-sse',
  isLineBased: true,
  subscribe: (t, url, login, request) =>
    openEventStream(t, {
      url: addressOf(url, request),
      method: 'GET',
      headers: {
        accept: 'text/event-stream',
        ...(login ? { authorization: authorizationOf(login) } : {}),
      },
      onEvent({ type, data }, reception) {
        if (type === 'error') reception.end(endingOf(Object(JSON.parse(data))));
        else if (isItem(type)) reception.take(itemAt(data, type));
      },
    }),
};

function isItem(type: string): boolean {
  return type === 'event' || type === 'deadLetter';
}

function endingOf({ code, message, argument }: Ending): Ending {
  return { code, message, argument };
}
