import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { recipes } from '../../scripts/recipes.ts';
import { systemClock } from '../../src/core/clock.ts';
import { EmbeddedKafka } from '../../src/kafka/embedded/embedded-kafka.ts';
import { openLink } from '../support/link.ts';
import { startRecipe } from '../support/recipe.ts';
import { feedIs, runServer, testConfig } from '../support/server.ts';
import { until } from '../support/until.ts';
import { portOf } from '../support/websocket.ts';

/** For them to come back: their pauses grow with each attempt. */
const withinMs = 150_000;

/** Runs a recipe until the test ends. Answers the ids of what it shows. */
function run(t: TestContext, recipe: string, url: string): readonly unknown[] {
  const child = startRecipe(t, recipe, { url, key: 'acme-read' });
  child.stderr.pipe(process.stderr, { end: false });
  const ids: unknown[] = [];
  createInterface(child.stdout).on('line', (line) => {
    const shown = JSON.parse(line);
    ids.push((shown.event ?? shown).id);
  });
  return ids;
}

test('each recipe gets each event once, over a cut and a restart of the server', async (t) => {
  const kafka = new EmbeddedKafka({ clock: systemClock });
  kafka.createTopic('acme.purchases', 3);
  const start = () => runServer(t, testConfig(), { driver: kafka.driver() });
  const first = await start();
  const link = await openLink(t, first.url);
  const received = recipes.map((recipe) => ({ recipe, ids: run(t, recipe, link.url) }));
  await feedIs(first, 'acme.purchases', { subscribers: recipes.length });

  const recorded: string[] = [];
  const record = (): void => {
    const id = `p${recorded.length}`;
    recorded.push(id);
    const timestamp = new Date().toISOString();
    // A payload may have a cursor of its own.
    const value = JSON.stringify({
      keen: { id, timestamp },
      cursor: 'x',
      text: 'ü\n\n"cursor":"y"',
    });
    kafka.append('acme.purchases', { value });
  };
  const all = (what: string, count: number): Promise<void> =>
    until(what, () => received.every(({ ids }) => ids.length >= count), withinMs).catch((cause) => {
      const counts = received.map(({ recipe, ids }) => `${recipe} ${ids.length}`).join(', ');
      throw new Error(`of ${recorded.length} at least ${count} everywhere: ${counts}`, { cause });
    });

  record();
  await all('the first event to arrive everywhere', 1);
  // From now on the stream never pauses, whatever happens to the connections.
  const recording = setInterval(record, 20);
  t.after(() => clearInterval(recording));
  await all('the stream to run', 5);
  link.cut();
  await all('all to be back after the cut', recorded.length + 5);

  const second = await start();
  link.leadTo(undefined);
  await first.close();
  link.cut();
  link.leadTo(second.url);
  await all('all to be back after the restart', recorded.length + 5);
  clearInterval(recording);
  await all('the rest to arrive', recorded.length);

  for (const { recipe, ids } of received) {
    await t.test(recipe, () => assert.deepEqual(ids, recorded));
  }
});

test('the recipe without a client comes back after what passes, with credentials that it asks for again', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  t.after(() => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  });
  const asked: (string | undefined)[] = [];
  const ends = [
    [true, 4403],
    [true, 1012],
    [false, 4408],
    [false, 4500],
    [false, 4403],
  ] as const;
  server.on('connection', (socket, { url }) => {
    const [isLetIn, code] = ends[asked.length] ?? [false, 1000];
    asked.push(url);
    socket.on('message', () => {
      const cursor = `after-${asked.length}`;
      const event = { id: `e${asked.length}`, cursor };
      if (isLetIn) socket.send('{"type":"ready"}');
      if (isLetIn) socket.send(JSON.stringify({ type: 'event', event }));
      socket.send('{"type":"error","code":"INTERNAL","message":"the end"}');
      socket.close(code, 'the end');
    });
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const ids = run(t, 'web-socket.ts', `http://127.0.0.1:${address.port}`);
  await until('the last', () => asked.length === ends.length, withinMs);
  assert.deepEqual(ids, ['e1', 'e2']);
  assert.deepEqual(
    asked.map((url) => url?.replace('/feeds/purchases?', '')),
    ['', 'after=after-1', 'after=after-2', 'after=after-2', 'after=after-2'],
  );
});

test('the recipe of graphql-sse goes on with other credentials when its token has expired', async (t) => {
  const expired = '{"errors":[{"message":"expired","extensions":{"code":"UNAUTHENTICATED"}}]}';
  const asked: unknown[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { variables } = JSON.parse(await text(request));
    asked.push(variables);
    const cursor = `after ${asked.length}`;
    const events = { id: `e${asked.length}`, payload: {}, cursor };
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`event: next\ndata: ${JSON.stringify({ data: { events } })}\n\n`);
    if (asked.length < 3)
      response.end(`event: next\ndata: ${expired}\n\nevent: complete\ndata:\n\n`);
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const ids = run(t, 'graphql-sse.ts', `http://127.0.0.1:${portOf(server)}`);
  await until('the third', () => ids.length === 3, withinMs);
  assert.deepEqual(ids, ['e1', 'e2', 'e3']);
  assert.deepEqual(asked, [{}, { after: 'after 1' }, { after: 'after 2' }]);
});
