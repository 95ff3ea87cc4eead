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
  let isReady = false;
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'ready') [isReady, failures] = [true, 0];
    if (message.type === 'event') show(message.event);
    // Whatever has a cursor says where to go on.
    cursor = message.event?.cursor ?? message.cursor ?? cursor;
  });
  socket.addEventListener('close', ({ code, reason }) => {
    // Below 4000 it is the connection or the server. PROTOCOL.md has each code.
    const passes = code < 4000 || code === 4408 || code === 4500;
    // Who was let in may need no more than another token.
    const isExpired = code === 4403 && isReady;
    if (!passes && !isExpired) return fail(reason);
    pause(failures).then(connect).catch(fail);
    failures += 1;
  });
}

connect().catch(fail);
