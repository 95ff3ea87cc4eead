/**
 * The least that a server can do: reads the topic with Millrace's own reader, decodes each event once,
 * and sends it to everybody who has subscribed to anything.
 *
 *     node minimal.ts raw|ws-send BROKERS TOPIC
 *
 * - `raw`, the floor: the frames of one answer of Kafka are made once; each connection gets a copy with
 *   its own operation ids, in one write to the socket.
 * - `ws-send`: `send` of the `ws` package with one string for each event and subscription.
 */
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { createDecoder } from '../../../src/decode/decoder.ts';
import { formatTimestamp } from '../../../src/decode/timestamp.ts';
import { KafkaError } from '../../../src/kafka/port.ts';
import { openDriver } from '../../measure.ts';
import { listen } from './listen.ts';
import { TurnFrames } from './turn-frames.ts';

interface Connection {
  readonly socket: WebSocket;
  readonly stream: Duplex;
  readonly ids: string[];
  /** The same as bytes. */
  readonly idBytes: Buffer[];
}

const [delivery, brokers = '', topic = ''] = process.argv.slice(2);
const deliver = delivery === 'raw' ? writeRaw : sendEach;
const connections = new Set<Connection>();
const decode = createDecoder({
  id: 'keen.id',
  timestamp: 'keen.timestamp',
  sequence: 'sequence_number',
});

const client = (await openDriver('kafkajs', brokers.split(','))).connect(null);
const start = (await client.listOffsets([topic], 'latest')).get(topic);
if (start === undefined || start instanceof KafkaError) throw new Error(`no topic ${topic}`);
client.openReader({
  topic,
  start,
  onBatches: (batches) => {
    const tails: string[] = [];
    for (const { partition, records } of batches) {
      for (const record of records) {
        const event = decode(partition, record);
        if (event.kind !== 'event') continue;
        const fields = `"id":"${event.id}","timestamp":"${formatTimestamp(event)}","payload":${event.json}`;
        tails.push(`","type":"next","payload":{"data":{"events":{${fields}}}}}`);
      }
    }
    if (tails.length > 0) deliver(tails);
  },
  onStatus: (status) => {
    if (status.state === 'failed') throw status.error;
  },
});

const server = createServer();
const sockets = new WebSocketServer({ server, handleProtocols: () => 'graphql-transport-ws' });
sockets.on('connection', (socket, { socket: stream }) => {
  const connection: Connection = { socket, stream, ids: [], idBytes: [] };
  connections.add(connection);
  socket.on('close', () => connections.delete(connection));
  socket.on('message', (data) => {
    if (!Buffer.isBuffer(data)) return;
    const { type, id }: { type: string; id: string } = JSON.parse(data.toString());
    if (type === 'connection_init') socket.send('{"type":"connection_ack"}');
    else if (type === 'ping') socket.send('{"type":"pong"}');
    else if (type === 'subscribe') {
      connection.ids.push(id);
      connection.idBytes.push(Buffer.from(id));
    }
  });
});
await listen(server);

function writeRaw(tails: readonly string[]): void {
  const frames = new TurnFrames('{"id":"', tails);
  for (const { stream, idBytes } of connections) {
    if (idBytes.length > 0) stream.write(frames.for(idBytes));
  }
}

function sendEach(tails: readonly string[]): void {
  for (const { socket, ids } of connections) {
    for (const id of ids) {
      for (const tail of tails) socket.send(`{"id":"${id}${tail}`);
    }
  }
}
