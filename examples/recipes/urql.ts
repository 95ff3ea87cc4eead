import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { fail, show, url } from './app.ts';
import { cursorOf } from './cursor-of.ts';
import { socket } from './socket.ts';

const client = new Client({
  url: `${url}/graphql`,
  preferGetMethod: false,
  exchanges: [
    fetchExchange,
    subscriptionExchange({
      forwardSubscription({ query = '', variables }) {
        // Sent anew whenever graphql-ws connects again: the cursor in it is where it goes on.
        const live = { ...variables };
        return {
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe(
              { query, variables: live },
              {
                ...sink,
                next({ data = null, errors }) {
                  live['after'] = cursorOf(data) ?? live['after'];
                  sink.next(errors ? { data, errors } : { data });
                },
              },
            ),
          }),
        };
      },
    }),
  ],
});

// In React, Vue or Svelte: useSubscription, with the same document.
client
  .subscription(
    `subscription ($after: Cursor) {
      events(topic: "purchases", after: $after) { id payload cursor }
    }`,
    {},
  )
  .subscribe(({ data, error }) => {
    if (error) fail(error);
    if (data) show(data.events);
  });
