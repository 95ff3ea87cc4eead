/** Accepts WebSockets and holds them: what a connection costs before anybody does anything with it. */
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { listen } from './listen.ts';

const server = createServer();
new WebSocketServer({ server }).on('connection', (socket) => {
  socket.on('message', () => socket.send('{"type":"connection_ack"}'));
});
await listen(server);
