import { EventSource } from 'eventsource';
import { authorization, fail, show, url } from './app.ts';

// It connects again by itself, and sends the last event's id, which is its cursor, as Last-Event-ID.
const source = new EventSource(`${url}/feeds/purchases`, {
  fetch: (input, init) =>
    fetch(input, { ...init, headers: { ...init.headers, authorization: authorization() } }),
});

source.addEventListener('event', ({ data }) => show(JSON.parse(data).event));

source.addEventListener('error', (error) => {
  // Of a connection that is lost, it goes on by itself; not of a refusal.
  if (source.readyState === EventSource.CLOSED) fail(error.message);
});

// In Node, what waits to connect again does not keep the process running.
setInterval(() => undefined, 60_000);
