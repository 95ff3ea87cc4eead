import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { authorizationOf, type Login, type TokenLogin } from '../support/graphql-client.ts';
import type { Ground, SoakTopic } from './ground.ts';
import { asFeed, asSubscription, drawWanted, pick, type Wanted } from './wanted.ts';
import { type Answer, ask, openSocket, openStream, type Wire } from './wire.ts';

/** A visitor comes, does something and is gone when it resolves. */
export type Visit = (ground: Ground) => Promise<void>;

const graphqlWs = 'graphql-transport-ws';
const plain = 'millrace.v1';
/** Subscriptions on one WebSocket. */
const mostAtOnce = 12;
/** How long a client waits for the end that the server owes it. */
const patienceMs = 60_000;

/** Each with how often it comes. */
export const visits: readonly (readonly [name: string, share: number, visit: Visit])[] = [
  ['graphql over WebSocket', 5, graphqlSocket],
  ['graphql over SSE', 3, graphqlStream],
  ['plain WebSocket', 3, plainSocket],
  ['plain SSE', 3, plainStream],
  ['query', 2, queries],
  ['single-use token', 1, singleUse],
  ['refused', 2, refused],
  ['gone before it was let in', 2, hasty],
  ['silent connection', 1, silent],
  ['takes nothing', 0.3, stalled],
];

/** Several subscriptions, of which some are completed before the connection ends. */
async function graphqlSocket(ground: Ground): Promise<void> {
  const { url, dice, tally } = ground;
  const login = pick(ground.logins, dice);
  const credentials = dice.oneIn(4) ? await token(ground, login) : login;
  const wanted = Array.from({ length: 1 + dice.below(mostAtOnce) }, () => drawFor(ground, login));
  const wire = openSocket({
    url: `${url}/graphql`,
    protocol: graphqlWs,
    onOpen: ({ send }) => send({ type: 'connection_init', payload: credentials }),
    onMessage(text, { send }) {
      tally.read(text);
      const { type, id } = Object(JSON.parse(text));
      if (type === 'ping') send({ type: 'pong' });
      if (type === 'next') keep(ground, wanted[Number(id)], text);
      if (type !== 'connection_ack') return;
      for (const [id, one] of wanted.entries()) {
        tally.subscriptions += 1;
        send({ id: String(id), type: 'subscribe', payload: asSubscription(one, dice) });
      }
    },
  });
  tally.connections += 1;
  await stay(ground, wire);
  for (const [id] of wanted.entries()) {
    if (dice.oneIn(2)) wire.send({ id: String(id), type: 'complete' });
  }
  await leave(ground, wire);
}

async function graphqlStream(ground: Ground): Promise<void> {
  const { url, dice } = ground;
  const login = pick(ground.logins, dice);
  const credentials = dice.oneIn(4) ? await token(ground, login) : login;
  const wanted = drawFor(ground, login);
  const wire = openStream({
    url: `${url}/graphql`,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: authorizationOf(credentials),
    },
    body: JSON.stringify(asSubscription(wanted, dice)),
    onChunk: (text) => took(ground, wanted, text),
  });
  count(ground);
  await stay(ground, wire);
  await leave(ground, wire);
}

async function plainSocket(ground: Ground): Promise<void> {
  const { url, dice } = ground;
  const login = pick(ground.logins, dice);
  const wanted = drawFor(ground, login, feedContent(ground));
  const byHeader = dice.oneIn(2);
  const wire = openSocket({
    url: asFeed(url, wanted).href,
    protocol: plain,
    headers: byHeader ? { authorization: authorizationOf(login) } : {},
    onOpen: ({ send }) => {
      if (!byHeader) send({ type: 'auth', ...login });
    },
    onMessage: (text) => took(ground, wanted, text),
  });
  count(ground);
  await stay(ground, wire);
  await leave(ground, wire);
}

async function plainStream(ground: Ground): Promise<void> {
  const { url, dice } = ground;
  const login = pick(ground.logins, dice);
  const wanted = drawFor(ground, login, feedContent(ground));
  const cursor = ground.cursors.get(wanted.place);
  const again = cursor !== undefined && dice.oneIn(3) ? { 'last-event-id': cursor } : {};
  const wire = openStream({
    url: asFeed(url, wanted).href,
    headers: { authorization: authorizationOf(login), ...again },
    onChunk: (text) => took(ground, wanted, text),
  });
  count(ground);
  await stay(ground, wire);
  await leave(ground, wire);
}

async function queries(ground: Ground): Promise<void> {
  const { url, dice, tally } = ground;
  const login = pick(ground.logins, dice);
  const topic = JSON.stringify(topicFor(ground, login).name);
  const query = pick(
    [
      // Each another document, of which the server remembers so many.
      `{ project { id${dice.below(1_000_000)}: id key { kind topics } } }`,
      '{ topics { name partitions { latestOffset } } }',
      `{ topic(name: ${topic}) { feed { state subscribers lag held } deadLetters { name } } }`,
      `{ recentEvents(topic: ${topic}, last: ${1 + dice.below(50)}) { id payload } }`,
      `{ recentDeadLetters(topic: ${topic}, last: ${1 + dice.below(50)}) { event error } }`,
    ],
    dice,
  );
  tally.connections += 1;
  const authorization = authorizationOf(login);
  const { body } = dice.oneIn(2)
    ? await ask({
        url: `${url}/graphql?query=${encodeURIComponent(query)}`,
        headers: { authorization },
      })
    : await post(`${url}/graphql`, { query }, authorization);
  tally.read(body);
}

/** A token in the address: it opens one stream and no second one. */
async function singleUse(ground: Ground): Promise<void> {
  const { url, dice } = ground;
  const login = pick(ground.logins, dice);
  const wanted = drawFor(ground, login, feedContent(ground));
  const { token: ticket } = await token(ground, login, { singleUse: true });
  const address = asFeed(url, wanted);
  address.searchParams.set('token', ticket);
  const open = (): Wire =>
    openStream({ url: address.href, onChunk: (text) => took(ground, wanted, text) });
  count(ground);
  const wire = open();
  await stay(ground, wire);
  const second = open();
  ground.tally.connections += 1;
  await leave(ground, wire);
  await gone(ground, second);
}

/** In one way or another, after which the server ends it. */
async function refused(ground: Ground): Promise<void> {
  const { url, dice, tally } = ground;
  const login = pick(ground.logins, dice);
  const wanted = drawFor(ground, login, 'events');
  const unknown = { ...login, key: `guessed ${dice.below(1_000_000_000)}` };
  const missing = { ...wanted, topic: { ...wanted.topic, name: `none-${dice.below(1_000_000)}` } };
  const broken = { ...wanted, arguments: { after: 'no cursor' } };
  const offered = [
    [unknown, wanted],
    [login, missing],
    [login, broken],
  ] as const;
  const [who, what] = pick(offered, dice);
  tally.connections += 1;
  switch (dice.below(4)) {
    case 0:
      tally.read(
        (
          await ask({
            url: asFeed(url, what).href,
            headers: { authorization: authorizationOf(who), accept: 'text/event-stream' },
          })
        ).body,
      );
      return;
    case 1:
      tally.read(
        (await post(`${url}/graphql`, { query: '{ nothing { like } it }' }, authorizationOf(who)))
          .body,
      );
      return;
    case 2: {
      const wire = openSocket({
        url: asFeed(url, what).href,
        protocol: plain,
        onOpen: ({ send }) => send({ type: 'auth', ...who }),
        onMessage: (text) => tally.read(text),
      });
      await gone(ground, wire);
      return;
    }
    default: {
      const wire = openSocket({
        url: `${url}/graphql`,
        protocol: graphqlWs,
        onOpen: ({ send }) => send({ type: 'connection_init', payload: who }),
        onMessage(text, wire) {
          tally.read(text);
          const { type } = Object(JSON.parse(text));
          if (type === 'error') wire.close();
          if (type !== 'connection_ack') return;
          wire.send({
            id: '1',
            type: 'subscribe',
            payload: asSubscription(what, dice),
          });
        },
      });
      await gone(ground, wire);
    }
  }
}

/** Asks for something and is cut before, or while, it gets it. */
async function hasty(ground: Ground): Promise<void> {
  const { url, dice } = ground;
  const login = pick(ground.logins, dice);
  const wanted = drawFor(ground, login, feedContent(ground));
  const payload = asSubscription(wanted, dice);
  const authorization = authorizationOf(login);
  const onChunk = (text: string): void => ground.tally.read(text);
  count(ground);
  const wire = pick(
    [
      () =>
        openSocket({
          url: `${url}/graphql`,
          protocol: graphqlWs,
          onOpen: ({ send }) => send({ type: 'connection_init', payload: login }),
          onMessage(text, { send }) {
            onChunk(text);
            send({ id: '1', type: 'subscribe', payload });
          },
        }),
      () =>
        openSocket({
          url: asFeed(url, wanted).href,
          protocol: plain,
          headers: { authorization },
          onOpen: () => undefined,
          onMessage: onChunk,
        }),
      () => openStream({ url: asFeed(url, wanted).href, headers: { authorization }, onChunk }),
      () =>
        openStream({
          url: `${url}/graphql`,
          method: 'POST',
          headers: { authorization, 'content-type': 'application/json' },
          body: JSON.stringify(payload),
          onChunk,
        }),
    ],
    dice,
  )();
  await sleep(dice.below(30));
  wire.cut();
  await gone(ground, wire);
}

/** Opens a connection and does not say all that is needed, until it is cut by one of the two. */
async function silent(ground: Ground): Promise<void> {
  const { url, dice, tally } = ground;
  tally.connections += 1;
  if (dice.oneIn(2)) {
    const wire = openSocket({
      url: `${url}/graphql`,
      protocol: graphqlWs,
      onOpen: ignored,
      onMessage: ignored,
    });
    if (dice.oneIn(2)) await sleep(dice.below(500)).then(() => wire.cut());
    await gone(ground, wire);
    return;
  }
  const { hostname, port } = new URL(url);
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.on('close', () => resolve());
  socket.on('connect', () => {
    socket.resume();
    socket.write(pick(['', 'GET /graphql HTT', 'POST /graphql HTTP/1.1\r\nHost: x\r\n'], dice));
  });
  await sleep(dice.below(1_500));
  socket.destroy();
  await promise;
}

/** Falls behind, and either is cut, leaves, or catches up. */
async function stalled(ground: Ground): Promise<void> {
  const { url, dice, tally } = ground;
  const topic = pick(ground.loud, dice);
  const login = loginOf(ground, topic);
  const since = new Date(Date.now() - 10_000).toISOString();
  const query = `subscription { events(topic: "${topic.name}", order: ARRIVAL, since: "${since}") { cursor payload } }`;
  const authorization = authorizationOf(login);
  count(ground);
  const wire = dice.oneIn(2)
    ? openSocket({
        url: `${url}/graphql`,
        protocol: graphqlWs,
        onOpen: ({ send }) => send({ type: 'connection_init', payload: login }),
        onMessage(text, { send }) {
          tally.read(text);
          if (Object(JSON.parse(text)).type !== 'connection_ack') return;
          send({ id: '1', type: 'subscribe', payload: { query } });
        },
      })
    : openStream({
        url: `${url}/graphql`,
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
        onChunk: (text) => tally.read(text),
      });
  await sleep(300);
  wire.pause();
  await sleep(1_000 + dice.below(5_000));
  if (dice.oneIn(2)) {
    wire.resume();
    await stay(ground, wire);
  }
  wire.cut();
  await gone(ground, wire);
}

function ignored(): void {
  // A silent client listens to nothing either.
}

function count({ tally }: Ground): void {
  tally.connections += 1;
  tally.subscriptions += 1;
}

function took(ground: Ground, wanted: Wanted, text: string): void {
  ground.tally.read(text);
  keep(ground, wanted, text);
}

/** Remembers the last cursor of a text, if there is one. */
function keep({ tally, cursors }: Ground, wanted: Wanted | undefined, text: string): void {
  const [, cursor] = /.*"cursor":"([^"]+)"/s.exec(text) ?? [];
  if (wanted === undefined || cursor === undefined) return;
  tally.messages += 1;
  cursors.set(wanted.place, cursor);
}

async function stay({ dice }: Ground, wire: Wire): Promise<void> {
  await Promise.race([wire.ended, sleep(dice.oneIn(10) ? 2_000 : 20 + dice.below(500))]);
}

async function leave(ground: Ground, wire: Wire): Promise<void> {
  if (ground.dice.oneIn(2)) wire.close();
  else wire.cut();
  await gone(ground, wire);
}

/** Resolves when the connection has ended; one that the server does not end is remembered, and cut. */
async function gone({ tally }: Ground, wire: Wire): Promise<void> {
  const ended = new AbortController();
  const late = sleep(patienceMs, 'late', { signal: ended.signal }).catch(() => 'ended');
  const how = await Promise.race([wire.ended, late]);
  ended.abort();
  if (how !== 'late') return;
  tally.keptOpen.push(wire.name);
  wire.cut();
}

function topicFor({ topics, dice }: Ground, { projectId }: Login): SoakTopic {
  return pick(
    topics.filter((topic) => topic.projectId === projectId),
    dice,
  );
}

function drawFor(ground: Ground, login: Login, holds?: Wanted['holds']): Wanted {
  return drawWanted(ground, topicFor(ground, login), holds);
}

function loginOf({ logins, dice }: Ground, { projectId }: SoakTopic): Login {
  return pick(
    logins.filter((login) => login.projectId === projectId),
    dice,
  );
}

function feedContent({ dice }: Ground): Wanted['holds'] {
  return dice.oneIn(5) ? 'deadLetters' : 'events';
}

async function token(ground: Ground, login: Login, body: object = {}): Promise<TokenLogin> {
  const filter = [{ property: 'amount', operator: 'GTE', value: ground.dice.below(1_000) / 100 }];
  ground.tally.connections += 1;
  const asked = { filter, expiresIn: '1m', ...body };
  const answer = await post(`${ground.url}/tokens`, asked, authorizationOf(login));
  ground.tally.read(answer.body);
  return { token: answer.status === 201 ? JSON.parse(answer.body).token : 'none' };
}

function post(url: string, body: object, authorization: string): Promise<Answer> {
  const headers = { authorization, 'content-type': 'application/json' };
  return ask({ url, method: 'POST', headers, body: JSON.stringify(body) });
}
