import { credentials, fail, pause, show, url } from './app.ts';

let cursor: string | undefined;
/** Connections that failed one after the other. */
let failures = 0;

async function connect(): Promise<void> {
  const parameters = new URLSearchParams(cursor === undefined ? {} : { after: cursor });
  const auth = await credentials();
  const socket = new WebSocket(
    `${url.replace('http', 'ws')}/feeds/purchases?${parameters}`,
    'millrace.v1',
  );
  socket.addEventListener('open', () => socket.send(JSON.stringify({ type: 'auth', ...auth })));
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(data);
    failures = 0;
    if (message.type === 'event') show(message.event);
    // Whatever has a cursor says where to go on.
    cursor = message.event?.cursor ?? message.cursor ?? cursor;
  });
  socket.addEventListener('close', ({ code, reason }) => {
    // Below 4000 it is the connection or the server, and passes. PROTOCOL.md has each code.
    if (code >= 4000) return fail(reason);
    pause(failures).then(connect).catch(fail);
    failures += 1;
  });
}

connect().catch(fail);
