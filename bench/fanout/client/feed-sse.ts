import { openEventStream } from './event-stream-wire.ts';
import { authorization, feedOf, only } from './wire.ts';

/** The plain feed over SSE. */
export const feedSse = openEventStream(
  'event',
  (operations) => {
    const lines = [
      `GET ${feedOf(only(operations))} HTTP/1.1`,
      'Host: 127.0.0.1',
      `Authorization: ${authorization}`,
      'Accept: text/event-stream',
    ];
    return `${lines.join('\r\n')}\r\n\r\n`;
  },
  ['ready', 'live', 'progress'],
);
