import { ChunkedParser, EventStreamParser } from './event-stream.ts';
import { ResponseHead } from './response-head.ts';
import { type Asked, only, type OpenWire } from './wire.ts';

const colon = ':'.charCodeAt(0);

/**
 * A protocol over server-sent events, with one subscription for each connection.
 *
 * @param eventType of the events that are results
 * @param silentTypes of those that say nothing
 */
export function openEventStream(
  eventType: string,
  request: (operations: readonly Asked[]) => string,
  silentTypes: readonly string[] = [],
): OpenWire {
  const result = Buffer.from(`event: ${eventType}\n`);
  const silent = silentTypes.map((type) => Buffer.from(`event: ${type}\n`));
  return (events) => {
    const head = new ResponseHead();
    let subscription = 0;
    let streaming = false;
    const messages = new EventStreamParser((bytes, start, end) => {
      if (beginsWith(result, bytes, start, end)) {
        events.message(subscription, bytes, start + result.length, end);
      } else if (
        bytes[start] !== colon &&
        !silent.some((head) => beginsWith(head, bytes, start, end))
      ) {
        events.refused(bytes.toString('utf8', start, end));
      }
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
        ({ subscription } = only(operations));
        events.write(request(operations));
      },
    };
  };
}

function beginsWith(type: Buffer, bytes: Buffer, start: number, end: number): boolean {
  return start + type.length < end && type.compare(bytes, start, start + type.length) === 0;
}
