import assert from 'node:assert/strict';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { recipes } from '../../scripts/recipes.ts';
import { systemClock } from '../../src/core/clock.ts';
import { EmbeddedKafka } from '../../src/kafka/embedded/embedded-kafka.ts';
import { runProgram, startRecipe } from '../support/recipe.ts';
import { runServer, testConfig } from '../support/server.ts';

const reason = /unknown project or wrong key/;
const withinMs = 150_000;

/** What is left when it has ended by itself. */
async function endOf(child: ChildProcessWithoutNullStreams) {
  const [[code], shown, errors] = await Promise.all([
    once(child, 'close', { signal: AbortSignal.timeout(withinMs) }),
    text(child.stdout),
    text(child.stderr),
  ]);
  return { code, shown, errors };
}

test('with a wrong key each recipe says what the server says, and ends', async (t) => {
  const kafka = new EmbeddedKafka({ clock: systemClock });
  kafka.createTopic('acme.purchases', 1);
  const { url } = await runServer(t, testConfig(), { driver: kafka.driver() });

  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const snippet = /```ts\n(import \{ createClient \} from 'graphql-ws';\n.*?)```/s.exec(
    readme,
  )?.[1];
  const program = snippet
    ?.replace('ws://127.0.0.1:4000', url.replace('http', 'ws'))
    .replace('acme-read-k3Jt9wQz', 'wrong');
  assert.ok(program !== undefined && program.includes("key: 'wrong'"));
  const ofReadme = runProgram(t, process.execPath, {
    args: ['--input-type=module-typescript', '--eval', program],
  });

  const ends = [
    { what: 'the snippet of README', end: endOf(ofReadme) },
    ...recipes.map((recipe) => ({
      what: recipe,
      end: endOf(startRecipe(t, recipe, { url, key: 'wrong' })),
    })),
  ];
  await Promise.allSettled(ends.map(({ end }) => end));
  for (const { what, end } of ends) {
    await t.test(what, async () => {
      const { code, shown, errors } = await end;
      assert.match(errors, reason);
      assert.equal(shown, '');
      assert.notEqual(code, 0);
    });
  }
});

test('the recipes on graphql-ws come back with other credentials when theirs have expired, and end when those are refused', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  t.after(() => server.close());
  let connections = 0;
  server.on('connection', (socket) => {
    connections += 1;
    const isLetIn = connections < 3;
    socket.once('message', () => {
      if (isLetIn) socket.send('{"type":"connection_ack"}');
      socket.close(4403, isLetIn ? 'this token has expired' : 'this token is not valid here');
    });
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const settings = { url: `http://127.0.0.1:${address.port}`, key: 'acme-read' };
  const { code, errors } = await endOf(startRecipe(t, 'graphql-ws.ts', settings));
  assert.equal(connections, 3);
  assert.equal(errors.match(/this token has expired/g)?.length, 2);
  assert.equal(errors.match(/this token is not valid here/g)?.length, 1);
  assert.equal(code, 1);
});

test('where there is no wscat its recipe says how to come by it, and ends', async (t) => {
  const settings = { url: 'http://127.0.0.1:9', key: 'acme-read', path: '' };
  const { code, errors } = await endOf(startRecipe(t, 'wscat.sh', settings));
  assert.match(errors, /npm install --global wscat/);
  assert.equal(code, 127);
});
