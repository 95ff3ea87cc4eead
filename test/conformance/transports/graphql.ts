import { authorizationOf } from '../../support/graphql-client.ts';
import { openEventStream } from './raw-event-stream.ts';
import { openSocket } from './raw-socket.ts';
import { type Ending, itemAt, type Request, type Transport } from './transport.ts';

const types: Readonly<Record<string, string>> = {
  order: 'EventOrder',
  deduplicate: 'Boolean',
  where: '[PropertyFilter!]',
  delivery: 'Delivery',
  since: 'DateTime',
  after: 'Cursor',
};

const place = 'topic partition offset recordedAt cursor';
const selections = {
  events: `id timestamp sequence payload late omitted ${place}`,
  deadLetters: `event error source ${place}`,
} as const;

/** The arguments go as variables. */
function operationOf({ holds, topic, arguments: given }: Request) {
  const names = Object.keys(given);
  const definitions = names.map((name) => `, $${name}: ${types[name] ?? 'JSON'}`).join('');
  const passed = names.map((name) => `, ${name}: $${name}`).join('');
  return {
    query: `subscription ($topic: String!${definitions}) {
      ${holds}(topic: $topic${passed}) { ${selections[holds]} }
    }`,
    variables: { topic, ...given },
  };
}

/** GraphQL over WebSocket. */
export const graphqlWs: Transport = {
  name: 'graphql-transport-ws',
  label: 'graphql-ws',
  isLineBased: false,
  subscribe(t, url, login, request) {
    return openSocket(t, {
      url: `${url}/graphql`,
      protocol: 'graphql-transport-ws',
      onOpen: (send) => send({ type: 'connection_init', payload: { ...login } }),
      onMessage(text, { reception, send }) {
        const { type, payload } = Object(JSON.parse(text));
        if (type === 'connection_ack') {
          send({ id: 'x', type: 'subscribe', payload: operationOf(request) });
        } else if (type === 'next') {
          reception.take(itemAt(text, `payload.data.${request.holds}`));
        } else if (type === 'error') {
          // The socket stays: only the operation is over.
          reception.end(endingOf(payload));
        }
      },
    });
  },
};

/** GraphQL over SSE, distinct connections. */
export const graphqlSse: Transport = {
  name: 'GraphQL over SSE',
  label: 'graphql-sse',
  isLineBased: true,
  subscribe(t, url, login, request) {
    return openEventStream(t, {
      url: `${url}/graphql`,
      method: 'POST',
      headers: {
        accept: 'text/event-stream',
        'content-type': 'application/json',
        ...(login ? { authorization: authorizationOf(login) } : {}),
      },
      body: JSON.stringify(operationOf(request)),
      onEvent({ type, data }, reception) {
        if (type !== 'next') return;
        const { errors } = Object(JSON.parse(data));
        if (errors === undefined) reception.take(itemAt(data, `data.${request.holds}`));
        else reception.end(endingOf(errors));
      },
    });
  },
};

function endingOf(errors: unknown): Ending {
  const [error] = Array.isArray(errors) ? errors : [];
  const { message, extensions } = Object(error);
  return { code: extensions?.code, message, argument: extensions?.argument };
}
