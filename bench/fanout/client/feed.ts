import { FrameParser, maskedFrame, opcode } from './frames.ts';
import { ResponseHead } from './response-head.ts';
import { authorization, feedOf, only, type OpenWire } from './wire.ts';

/** Where the type of a message begins: `{"type":"event"`. */
const typeAt = '{"type":"'.length;
const letterV = 'v'.charCodeAt(0);

/** The plain feed over WebSocket: one subscription for each connection. */
export const feed: OpenWire = (events) => {
  const head = new ResponseHead();
  let subscription = 0;
  let upgraded = false;

  const frames = new FrameParser((code, bytes, start, end) => {
    if (code === opcode.text) text(bytes, start, end);
    else if (code === opcode.ping) {
      events.write(maskedFrame(opcode.pong, bytes.subarray(start, end)));
    } else if (code === opcode.close) {
      const reason = bytes.toString('utf8', start + 2, end);
      events.refused(`closed with ${bytes.readUInt16BE(start)}: ${reason}`);
    }
  });

  function text(bytes: Buffer, start: number, end: number): void {
    // Of the types only `event` has that letter there.
    if (bytes[start + typeAt + 1] === letterV) {
      events.message(subscription, bytes, start, end);
      return;
    }
    const message = bytes.toString('utf8', start, end);
    if (message.startsWith('{"type":"ready"')) events.asked();
    else if (message.startsWith('{"type":"error"')) events.refused(message);
  }

  events.opened();
  return {
    take(bytes) {
      if (upgraded) {
        frames.take(bytes);
        return;
      }
      const taken = head.take(bytes);
      if (taken === null) return;
      upgraded = true;
      if (taken.status !== 101) return events.refused(taken.headers);
      frames.take(taken.rest);
    },
    subscribe(operations) {
      const operation = only(operations);
      ({ subscription } = operation);
      const lines = [
        `GET ${feedOf(operation)} HTTP/1.1`,
        'Host: 127.0.0.1',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
        'Sec-WebSocket-Protocol: millrace.v1',
        `Authorization: ${authorization}`,
      ];
      events.write(`${lines.join('\r\n')}\r\n\r\n`);
    },
  };
};
