import {
  Environment,
  Network,
  Observable,
  RecordSource,
  requestSubscription,
  Store,
} from 'relay-runtime';
import { authorization, fail, show, url } from './app.ts';
import { cursorOf } from './cursor-of.ts';
import purchases, { type purchasesSubscription } from './purchasesSubscription.graphql.ts';
import { socket } from './socket.ts';

const network = Network.create(
  async ({ text }, variables) => {
    const answer = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: authorization() },
      body: JSON.stringify({ query: text, variables }),
    });
    return answer.json();
  },
  ({ text }, variables) =>
    Observable.create((sink) => {
      // Sent anew whenever graphql-ws connects again: the cursor in it is where it goes on.
      const live = { ...variables };
      return socket.subscribe(
        { query: text ?? '', variables: live },
        {
          ...sink,
          next({ data, errors = [] }) {
            live['after'] = cursorOf(data) ?? live['after'];
            if (data) sink.next({ data });
            else sink.error(new Error(errors[0]?.message));
          },
        },
      );
    }),
);

const environment = new Environment({ network, store: new Store(new RecordSource()) });

// In React: useSubscription, with the same configuration.
requestSubscription<purchasesSubscription>(environment, {
  subscription: purchases,
  variables: {},
  onNext: (data) => data && show(data.events),
  onError: fail,
});
