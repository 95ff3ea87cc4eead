import { fail, type Purchase, show } from './app.ts';
import { socket } from './socket.ts';

// Sent anew whenever the client connects again: the cursor in it is where it goes on.
const variables: { after?: string } = {};

socket.subscribe<{ events: Purchase }>(
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
