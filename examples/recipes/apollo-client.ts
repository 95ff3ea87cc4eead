import { ApolloClient, ApolloLink, gql, InMemoryCache } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { tap } from 'rxjs';
import { fail, type Purchase, show } from './app.ts';
import { cursorOf } from './cursor-of.ts';
import { socket } from './socket.ts';

/** Has a subscription go on after its last event when graphql-ws connects again, and sends the variables anew. */
const resuming = new ApolloLink((operation, forward) => {
  const variables = { ...operation.variables };
  operation.variables = variables;
  return forward(operation).pipe(
    tap(({ data }) => {
      variables['after'] = cursorOf(data) ?? variables['after'];
    }),
  );
});

const client = new ApolloClient({
  link: ApolloLink.from([resuming, new GraphQLWsLink(socket)]),
  cache: new InMemoryCache(),
});

// In React: useSubscription, with the same options.
client
  .subscribe<{ events: Purchase }>({
    query: gql`
      subscription ($after: Cursor) {
        events(topic: "purchases", after: $after) {
          id
          payload
          cursor
        }
      }
    `,
    // A stream does not belong into the cache.
    fetchPolicy: 'no-cache',
  })
  .subscribe(({ data, error }) => {
    if (error) fail(error);
    if (data) show(data.events);
  });
