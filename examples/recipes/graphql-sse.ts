import { createClient } from 'graphql-sse';
import { authorization, fail, pause, type Purchase, show, url } from './app.ts';

const client = createClient({
  url: `${url}/graphql`,
  headers: () => ({ authorization: authorization() }),
  retryAttempts: Infinity,
  retry: pause,
});

// Sent anew whenever the client connects again: the cursor in it is where it goes on.
const variables: { after?: string } = {};

function subscribe(): void {
  let hasExpired = false;
  client.subscribe<{ events: Purchase }>(
    {
      query: `subscription ($after: Cursor) {
        events(topic: "purchases", after: $after) { id payload cursor }
      }`,
      variables,
    },
    {
      next({ data, errors }) {
        // A token that has expired ends the stream, not the client.
        hasExpired =
          errors?.some((error) => error.extensions?.['code'] === 'UNAUTHENTICATED') ?? false;
        if (errors && !hasExpired) fail(errors);
        if (!data) return;
        show(data.events);
        variables.after = data.events.cursor;
      },
      error: fail,
      complete: () => hasExpired && subscribe(),
    },
  );
}

subscribe();
