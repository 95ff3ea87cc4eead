import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { WebSocket } from 'ws';
import { type Clock, systemClock } from '../../../src/core/clock.ts';
import { MillraceError } from '../../../src/core/errors.ts';
import { createHttpServer, type Route } from '../../../src/transports/http-server.ts';
import { respond } from '../../../src/transports/respond.ts';
import { captureLog } from '../../support/captured-log.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { until } from '../../support/until.ts';
import { portOf } from '../../support/websocket.ts';

const allowed = 'https://app.example.com';

async function listen(
  t: TestContext,
  route: Route = (_request, response) => respond(response, 200, {}),
  maxStallMs = 60_000,
  onStalled: () => void = () => undefined,
  clock: Clock = systemClock,
) {
  const closed: WebSocket[] = [];
  const log = captureLog();
  const { server, sockets } = createHttpServer({
    routes: new Map([['/there', route]]),
    socketRoutes: new Map([
      [
        '/there',
        { protocols: ['spoken'], serve: (socket) => socket.on('message', () => socket.close()) },
      ],
    ]),
    onSocketClosed: (socket) => closed.push(socket),
    allowedOrigins: [allowed],
    maxInboundFrameBytes: 1_024,
    maxStallMs,
    onStalled,
    clock,
    logger: log.logger,
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.terminate();
    server.close();
    server.closeAllConnections();
  });
  const port = portOf(server);
  return { server, port, url: `http://127.0.0.1:${port}`, sockets, closed, log };
}

test('an unknown path is 404 and names those that there are', async (t) => {
  const { url } = await listen(t);
  const response = await fetch(`${url}/elsewhere?x=/there`);
  assert.equal(response.status, 404);
  const [error] = Object(await response.json()).errors;
  assert.equal(error.extensions.code, 'BAD_USER_INPUT');
  assert.match(error.message, /there are \/there$/);
});

test('a query string does not belong to the path', async (t) => {
  const { url } = await listen(t);
  assert.equal((await fetch(`${url}/there?a=b?c`)).status, 200);
});

test('a whole address, as some proxies ask for, leads to the same as its path', async (t) => {
  const asked: (string | undefined)[] = [];
  const { port } = await listen(t, ({ url }, response) => {
    asked.push(url);
    respond(response, 200, {});
  });
  const answers: string[] = [];
  for (const target of [
    'http://elsewhere/there?a=b',
    'HTTPS://elsewhere:1/there',
    'http://elsewhere',
  ]) {
    const stream = connect(port, '127.0.0.1');
    stream.end(`GET ${target} HTTP/1.1\r\nhost: elsewhere\r\nconnection: close\r\n\r\n`);
    answers.push((await text(stream)).slice(0, 12));
  }
  assert.deepEqual(answers, ['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 404']);
  assert.deepEqual(asked, ['/there?a=b', '/there']);
  const upgrade = connect(port, '127.0.0.1');
  t.after(() => upgrade.destroy());
  upgrade.write(
    'GET http://elsewhere/there HTTP/1.1\r\nhost: elsewhere\r\nconnection: upgrade\r\nupgrade: websocket\r\n' +
      'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
      'sec-websocket-protocol: spoken\r\n\r\n',
  );
  const [head] = await once(upgrade, 'data');
  assert.match(String(head), /^HTTP\/1\.1 101 /);
});

test('a page of another origin is refused, in words that its operator can act on', async (t) => {
  const { url } = await listen(t);
  for (const origin of ['https://evil.example', 'null', `${allowed}:444`, `${allowed}.evil`]) {
    const response = await fetch(`${url}/there`, { headers: { origin } });
    assert.equal(response.status, 403, origin);
    assert.equal(response.headers.get('access-control-allow-origin'), null);
    assert.match(await response.text(), /http\.allowedOrigins/);
  }
});

test('the log names the origins of pages that are refused, a few in a minute', async (t) => {
  const { url, port, log } = await listen(t);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/there`, 'spoken', { origin: 'https://a.b' });
  await once(socket, 'error');
  for (let page = 0; page < 10; page += 1) {
    await fetch(`${url}/there`, { headers: { origin: `https://page${page}.example` } });
  }
  const named = log.lines.filter(({ msg }) => msg.includes('http.allowedOrigins'));
  assert.deepEqual(
    named.map(({ origin }) => origin),
    ['https://a.b', ...[0, 1, 2, 3].map((page) => `https://page${page}.example`)],
  );
});

test('a listed origin and the server’s own pages may, and so may who has none', async (t) => {
  const { url } = await listen(t);
  for (const origin of [allowed, url]) {
    const response = await fetch(`${url}/there`, { headers: { origin } });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('access-control-allow-origin'), origin);
    assert.equal(response.headers.get('access-control-allow-credentials'), null);
    assert.match(response.headers.get('vary') ?? '', /origin/i);
  }
  assert.equal((await fetch(`${url}/there`)).status, 200);
});

test('a preflight is answered without asking the route', async (t) => {
  const { url } = await listen(t, () => assert.fail('asked'));
  const preflight = (origin: string) =>
    fetch(`${url}/there`, { method: 'OPTIONS', headers: { origin } });
  const response = await preflight(allowed);
  assert.equal(response.status, 204);
  assert.equal(response.headers.get('access-control-allow-methods'), 'GET, POST');
  assert.match(response.headers.get('access-control-allow-headers') ?? '', /authorization/);
  assert.equal((await preflight('https://evil.example')).status, 403);
});

test('an error for the client is shown, any other is masked', async (t) => {
  const errors = [
    new MillraceError('TOPIC_NOT_FOUND', 'no such topic'),
    new Error('the password is hunter2'),
  ];
  const { url } = await listen(t, () => {
    throw errors.shift();
  });
  const shown = await fetch(`${url}/there`);
  assert.equal(shown.status, 404);
  assert.match(await shown.text(), /no such topic/);
  const masked = await fetch(`${url}/there`);
  assert.equal(masked.status, 500);
  assert.doesNotMatch(await masked.text(), /hunter2/);
});

test('a WebSocket opens on its path, for its protocol, from an allowed origin only', async (t) => {
  const { port } = await listen(t);
  const open = async (path: string, protocol: string, origin?: string): Promise<string> => {
    const options = origin === undefined ? {} : { origin };
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, protocol, options);
    t.after(() => socket.terminate());
    return new Promise((resolve) => {
      socket.once('open', () => resolve('open'));
      socket.once('error', ({ message }) => resolve(message));
    });
  };
  assert.equal(await open('/there', 'spoken'), 'open');
  assert.equal(await open('/there', 'spoken', allowed), 'open');
  assert.match(await open('/there', 'unknown'), /no subprotocol/);
  assert.match(await open('/elsewhere', 'spoken'), /404/);
  assert.match(await open('/there', 'spoken', 'https://evil.example'), /403/);
});

test('a frame that is too large closes the socket with 1009', async (t) => {
  const { port } = await listen(t);
  const socket = new WebSocket(`ws://127.0.0.1:${port}/there`, 'spoken');
  await once(socket, 'open');
  socket.send('x'.repeat(1_025));
  const [code] = await once(socket, 'close');
  assert.equal(code, 1009);
});

test('a WebSocket that has closed is let go at once, however it ended', async (t) => {
  const { port, sockets, closed } = await listen(t);
  const open = async (): Promise<WebSocket> => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/there`, 'spoken');
    await once(socket, 'open');
    return socket;
  };
  const [closing, hangingUp, cut] = [await open(), await open(), await open()];
  const [, , served] = sockets;
  assert.equal(sockets.size, 3);
  closing.close(1000);
  hangingUp.terminate();
  const wasCut = once(cut, 'close');
  served?.terminate();
  await wasCut;
  await until('all have closed', () => closed.length === 3);
  assert.equal(sockets.size, 0);
});

test('a WebSocket that breaks ends by itself alone', async (t) => {
  const { port, sockets, closed } = await listen(t);
  const client = new WebSocket(`ws://127.0.0.1:${port}/there`, 'spoken');
  t.after(() => client.terminate());
  await once(client, 'open');
  const [socket] = sockets;
  assert.ok(socket !== undefined);
  const { _socket: stream } = Object(socket);
  stream.destroy(new Error('ECONNRESET'));
  await until('it has closed', () => closed.length === 1);
});

test('who is refused an upgrade and does not hang up is hung up on', async (t) => {
  const { port } = await listen(t);
  const stream = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.after(() => stream.destroy());
  stream.write(
    'GET /elsewhere HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
  );
  assert.match(await text(stream), /^HTTP\/1\.1 404 /);
  // Our half is still open: writing tells whether theirs is gone.
  const gone = new Promise<void>((resolve) => {
    stream.once('error', () => resolve());
  });
  const writing = setInterval(() => stream.write('x'), 5);
  t.after(() => clearInterval(writing));
  await gone;
  clearInterval(writing);
});

/** Asks for `/there` and takes nothing of the answer. */
function askAndPause(t: TestContext, port: number): Socket {
  const stream = connect({ port, host: '127.0.0.1' });
  stream.on('error', () => undefined);
  t.after(() => stream.destroy());
  stream.pause();
  stream.write('GET /there HTTP/1.1\r\nhost: x\r\n\r\n');
  return stream;
}

/** A server with one response under way, that a test writes. */
async function responding(
  t: TestContext,
  maxStallMs?: number,
  onStalled?: () => void,
  clock?: Clock,
) {
  const asked = Promise.withResolvers<ServerResponse>();
  const route: Route = (_request, response) => asked.resolve(response);
  const { server, port } = await listen(t, route, maxStallMs, onStalled, clock);
  return { server, port, response: asked.promise };
}

test('a response of which the client takes nothing is ended, then cut', async (t) => {
  const { port, response: asked } = await responding(t, 50);
  askAndPause(t, port);
  const response = await asked;
  const cut = once(response, 'close');
  while (response.write('x'.repeat(1_048_576)) || response.writableLength < 2 ** 24);
  await cut;
  assert.ok(response.writableEnded);
  assert.ok(response.destroyed);
});

for (const [what, isWhole] of [
  ['a stream', false],
  ['an answer that is written as a whole', true],
] as const) {
  test(`a client that takes nothing is told of once: of ${what}`, async (t) => {
    let stalled = 0;
    const { port, response: asked } = await responding(t, 50, () => {
      stalled += 1;
    });
    askAndPause(t, port);
    const response = await asked;
    const cut = once(response, 'close');
    while (response.write('x'.repeat(1_048_576)) || response.writableLength < 2 ** 24);
    if (isWhole) response.end();
    await cut;
    assert.equal(stalled, 1);
  });
}

test('a client that takes again when its response has been ended gets all that was written', async (t) => {
  const clock = new ManualClock();
  const { port, response: asked } = await responding(t, 60_000, undefined, clock);
  const stream = askAndPause(t, port);
  const response = await asked;
  while (response.write('x'.repeat(1_048_576)) || response.writableLength < 2 ** 24);
  // Not further than it takes: it is cut soon after.
  while (!response.writableEnded) await clock.advance(1_000);
  const bytes = text(stream);
  stream.resume();
  await once(response, 'close');
  stream.end();
  assert.match(await bytes, /\r\n0\r\n\r\n$/);
});

test('a client that sends much and takes nothing of its response is cut all the same', async (t) => {
  const { port, response: asked } = await responding(t, 50);
  const stream = askAndPause(t, port);
  const response = await asked;
  const cut = once(response, 'close');
  while (response.write('x'.repeat(1_048_576)) || response.writableLength < 2 ** 24);
  // Line breaks before the next request, which are no part of it.
  const goOn = (): void => {
    stream.write('\r\n', (error) => {
      if (error === undefined || error === null) setImmediate(goOn);
    });
  };
  goOn();
  await cut;
});

test('a response on which nothing waits may be silent', async (t) => {
  const clock = new ManualClock();
  const { port, response: asked } = await responding(t, 60_000, undefined, clock);
  askAndPause(t, port);
  const response = await asked;
  response.write('x');
  await until('it to be taken', () => response.socket?.writableLength === 0);
  await clock.advance(120_000);
  assert.equal(response.destroyed, false);
  response.destroy();
  await once(response, 'close');
  await clock.advance(60_000);
  assert.equal(clock.pending, 0);
});

test('a server that is closing does not wait for a next request after the last response', async (t) => {
  const { server, port, response: asked } = await responding(t);
  server.keepAliveTimeout = 0;
  askAndPause(t, port);
  const response = await asked;
  const closed = once(server, 'close');
  server.close();
  respond(response, 200, {});
  await closed;
});
