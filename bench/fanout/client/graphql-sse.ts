import { openEventStream } from './event-stream-wire.ts';
import { authorization, only } from './wire.ts';

/** GraphQL over SSE, distinct connections: one subscription each. */
export const graphqlSse = openEventStream('next', (operations) => {
  const { query, variables } = only(operations);
  const body = JSON.stringify({ query, variables });
  const lines = [
    'POST /graphql HTTP/1.1',
    'Host: 127.0.0.1',
    `Authorization: ${authorization}`,
    'Accept: text/event-stream',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
});
