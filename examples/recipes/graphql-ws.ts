import { createClient } from 'graphql-ws';
import { credentials, fail, pause, type Purchase, show, url } from './app.ts';

const client = createClient({
  url: `${url.replace('http', 'ws')}/graphql`,
  connectionParams: credentials,
  // Without these it gives up when the connection breaks off, and after some failures.
  shouldRetry: () => true,
  retryAttempts: Infinity,
  retryWait: pause,
});

// Sent anew whenever the client connects again: the cursor in it is where it goes on.
const variables: { after?: string } = {};

client.subscribe<{ events: Purchase }>(
  {
    query: `subscription ($after: Cursor) {
      events(topic: "purchases", after: $after) { id payload cursor }
    }`,
    variables,
  },
  {
    next({ data }) {
      if (!data) return;
      show(data.events);
      variables.after = data.events.cursor;
    },
    error: fail,
    complete: () => undefined,
  },
);
