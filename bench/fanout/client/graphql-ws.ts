import { operationIdDigits } from '../event.ts';
import { digits } from '../mark.ts';
import { FrameParser, maskedFrame, opcode } from './frames.ts';
import { ResponseHead } from './response-head.ts';
import { login, type OpenWire } from './wire.ts';

const upgrade = [
  'GET /graphql HTTP/1.1',
  'Host: 127.0.0.1',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  'Sec-WebSocket-Protocol: graphql-transport-ws',
  '\r\n',
].join('\r\n');

const beforeId = '{"id":"';
/** Where a message with an id has the first letter of its type: `{"id":"000042","type":"next"`. */
const typeAt = beforeId.length + operationIdDigits + '","type":"'.length;
const letterI = 'i'.charCodeAt(0);
const letterN = 'n'.charCodeAt(0);
const quote = '"'.charCodeAt(0);

/** GraphQL over WebSocket, protocol graphql-transport-ws. */
export const graphqlWs: OpenWire = (events) => {
  const head = new ResponseHead();
  let upgraded = false;
  const send = (message: object): void => {
    events.write(maskedFrame(opcode.text, JSON.stringify(message)));
  };

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
    // Recognised by its shape: to parse the results would make this the slowest process of the bench.
    if (bytes[start + typeAt] === letterN && bytes[start + 2] === letterI) {
      if (bytes[start + beforeId.length + operationIdDigits] !== quote) {
        throw new Error('an operation id of another length');
      }
      events.message(digits(bytes, start + beforeId.length, operationIdDigits), bytes, start, end);
      return;
    }
    const message = bytes.toString('utf8', start, end);
    const { type }: { type?: unknown } = JSON.parse(message);
    if (type === 'connection_ack') events.opened();
    else if (type === 'ping') send({ type: 'pong' });
    else if (type === 'pong') events.asked();
    else events.refused(message);
  }

  events.write(upgrade);
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
      send({ type: 'connection_init', payload: login });
      frames.take(taken.rest);
    },
    subscribe(operations) {
      const asking = operations.map(({ subscription, query, variables }) => {
        const id = String(subscription).padStart(operationIdDigits, '0');
        const payload = { query, variables };
        return maskedFrame(opcode.text, JSON.stringify({ id, type: 'subscribe', payload }));
      });
      // Its answer shows that the server has read what stands before it.
      asking.push(maskedFrame(opcode.text, JSON.stringify({ type: 'ping' })));
      events.write(Buffer.concat(asking));
    },
  };
};
