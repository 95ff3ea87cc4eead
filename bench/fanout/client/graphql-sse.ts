import { ChunkedParser, EventStreamParser } from './event-stream.ts';
import { ResponseHead } from './response-head.ts';
import { login, type OpenWire } from './wire.ts';

const authorization = `Basic ${Buffer.from(`${login.projectId}:${login.key}`).toString('base64')}`;
const next = Buffer.from('event: next\n');
const colon = ':'.charCodeAt(0);

/** GraphQL over SSE, distinct connections: one subscription each. */
export const graphqlSse: OpenWire = (events) => {
  const head = new ResponseHead();
  let subscription = 0;
  let streaming = false;
  const messages = new EventStreamParser((bytes, start, end) => {
    const data = start + next.length;
    if (data < end && next.compare(bytes, start, data) === 0) {
      events.message(subscription, bytes, data, end);
    } else if (bytes[start] !== colon) events.refused(bytes.toString('utf8', start, end));
  });
  const chunks = new ChunkedParser((bytes, start, end) => messages.take(bytes, start, end));

  events.opened();
  return {
    take(bytes) {
      if (streaming) {
        chunks.take(bytes);
        return;
      }
      const taken = head.take(bytes);
      if (taken === null) return;
      streaming = true;
      const { status, headers, rest } = taken;
      if (status !== 200 || !headers.includes('\ntransfer-encoding: chunked')) {
        return events.refused(`${headers}\n\n${rest.toString()}`);
      }
      events.asked();
      chunks.take(rest);
    },
    subscribe(operations) {
      const [operation, another] = operations;
      if (operation === undefined || another !== undefined) {
        throw new Error('one subscription for each connection');
      }
      subscription = operation.subscription;
      const { query, variables } = operation;
      const body = JSON.stringify({ query, variables });
      const lines = [
        'POST /graphql HTTP/1.1',
        'Host: 127.0.0.1',
        `Authorization: ${authorization}`,
        'Accept: text/event-stream',
        'Content-Type: application/json',
        `Content-Length: ${Buffer.byteLength(body)}`,
      ];
      events.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
    },
  };
};
