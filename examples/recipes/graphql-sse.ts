import { createClient } from 'graphql-sse';
import { authorization, fail, pause, type Purchase, show, url } from './app.ts';

/** What connecting again does not change, in the server's words. */
let refusal: string | undefined;

const client = createClient({
  url: `${url}/graphql`,
  headers: () => ({ authorization: authorization() }),
  async fetchFn(input: string, init: RequestInit) {
    const answer = await fetch(input, init);
    // Of 4xx only what is over a limit (429) passes.
    const isRefused = answer.status >= 400 && answer.status < 500 && answer.status !== 429;
    if (isRefused) refusal = await answer.text();
    else if (!answer.ok) console.error('Not served, for now:', await answer.text());
    return answer;
  },
  retryAttempts: Infinity,
  async retry(failures) {
    if (refusal !== undefined) throw new Error(refusal);
    await pause(failures);
  },
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
