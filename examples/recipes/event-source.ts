import { EventSource } from 'eventsource';
import { authorization, fail, show, url } from './app.ts';

/** What the server says in refusing: EventSource tells the status only. */
let refusal: string | undefined;

// It connects again by itself, and sends the last event's id, which is its cursor, as Last-Event-ID.
const source = new EventSource(`${url}/feeds/purchases`, {
  async fetch(input, init) {
    const headers = { ...init.headers, authorization: authorization() };
    const answer = await fetch(input, { ...init, headers });
    if (!answer.ok) refusal = await answer.text();
    return answer;
  },
});

source.addEventListener('event', ({ data }) => show(JSON.parse(data).event));

// In Node, what waits to connect again does not keep the process running.
const running = setInterval(() => undefined, 60_000);

source.addEventListener('error', (error) => {
  // Of a connection that is lost, it goes on by itself; not of a refusal.
  if (source.readyState !== EventSource.CLOSED) return;
  fail(refusal ?? error.message);
  clearInterval(running);
});
