import { createClient } from 'graphql-ws';
import { credentials, pause, url } from './app.ts';

/** Since the WebSocket was opened. */
let isLetIn = false;

/** Comes back whenever it is lost, and says why. Where the server refuses it, it ends. */
export const socket = createClient({
  url: `${url.replace('http', 'ws')}/graphql`,
  connectionParams: credentials,
  on: {
    opened() {
      isLetIn = false;
    },
    connected() {
      isLetIn = true;
    },
    closed(end) {
      const { code, reason } = Object(end);
      if (code !== 1000) console.error(`Closed with ${code}: ${reason || 'connection lost'}`);
    },
  },
  // Without this it gives up when the connection breaks off. Of codes that connecting again does not change, it knows
  // all but 4403: wrong credentials. Who was let in may need no more than another token.
  shouldRetry: (end) => isLetIn || Object(end).code !== 4403,
  retryAttempts: Infinity,
  retryWait: pause,
});
