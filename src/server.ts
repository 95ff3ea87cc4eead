import { once } from 'node:events';
import {
  parseCredentials,
  parseRequest,
  type RequestHead,
  tokenInUrl,
} from './auth/authorization.ts';
import { inTime } from './auth/in-time.ts';
import type { Principal } from './auth/principal.ts';
import type { TokenMaker } from './auth/tokens/token-maker.ts';
import { openBackend } from './backend.ts';
import { readCertificate } from './config/certificate.ts';
import { type Config, type ProjectConfig, type TlsFiles } from './config/config.ts';
import { FileWatch } from './config/file-watch.ts';
import { usualConnections } from './config/schema.ts';
import { type Clock, systemClock } from './core/clock.ts';
import type { MillraceError } from './core/errors.ts';
import type { Hub } from './hub/hub.ts';
import type { KafkaDriver } from './kafka/port.ts';
import { version } from './observe/build-info.ts';
import type { Logger } from './observe/logger.ts';
import { Metrics } from './observe/metrics.ts';
import { perMinute } from './observe/rate-limit.ts';
import { Allowances } from './transports/allowance/allowances.ts';
import { Answers } from './transports/allowance/answers.ts';
import { roomFor } from './transports/descriptors.ts';
import { GraphqlEngine } from './transports/graphql/engine.ts';
import { createErrorMask } from './transports/graphql/errors.ts';
import { type ConsoleStart, consoleRoutes } from './transports/console.ts';
import {
  type GraphiqlStart,
  graphiqlPage,
  isForBrowser,
  respondGraphiql,
} from './transports/graphql/graphiql.ts';
import { createSchema } from './transports/graphql/schema.ts';
import { createGraphqlWebSocket } from './transports/graphql/websocket.ts';
import { createGraphqlOverHttp } from './transports/graphql/yoga.ts';
import { healthRoutes } from './transports/health.ts';
import { Heartbeat } from './transports/heartbeat.ts';
import { bytesForHeap, connectionsForHeap } from './transports/heap-room.ts';
import { createHttpServer, type Route } from './transports/http-server.ts';
import { KeepAlive } from './transports/keep-alive.ts';
import type { Listener } from './transports/listener.ts';
import { LostPeers } from './transports/lost-peers.ts';
import { OpenConnections } from './transports/open-connections.ts';
import { createMetricsRoute } from './transports/metrics/route.ts';
import { ServerMetrics } from './transports/metrics/server-metrics.ts';
import type { SlowOutcome } from './transports/outgoing.ts';
import { plainFeeds } from './transports/plain/feeds.ts';
import { Sent } from './transports/sent.ts';
import { createTokensRoute } from './transports/tokens.ts';
import { TurnEnd } from './transports/turn-end.ts';
import { UntakenAnswers } from './transports/untaken-answers.ts';
import { welcomeRoute } from './transports/welcome.ts';

export interface ServerDependencies {
  readonly logger: Logger;
  /** @default the driver that the configuration names */
  readonly driver?: KafkaDriver;
  /** @default the system's */
  readonly clock?: Clock;
  /** What GraphiQL shows at first. @default a subscription to put a topic into */
  readonly graphiql?: GraphiqlStart;
  /** What the console's sign-in shows at first. @default empty fields */
  readonly console?: ConsoleStart;
  /** Whether other processes may listen on the same port, which the system deals out connections to. @default false */
  readonly sharesPort?: boolean;
  /** Which of several workers it is: its metrics say so. @default it is alone */
  readonly worker?: number;
  /** The metrics of all workers. @default its own are all */
  readonly allMetrics?: () => Promise<string>;
  /** What tokens are encrypted with where the configuration has no secret. @default this process's own */
  readonly tokenSecret?: string | undefined;
}

export interface RunningServer {
  /** Where it accepts connections, without a path: `http://127.0.0.1:4000`. */
  readonly url: string;
  /** Its own metrics, in Prometheus’ text format. */
  metrics(): Promise<string>;
  /** What it serves with, for tests and figures. */
  readonly hub: Hub;
  /** Takes over a changed list of projects and their keys: see `MillraceServer`. */
  updateProjects(projects: readonly ProjectConfig[]): void;
  /**
   * Lets the clients go before `close`, as `shutdown` of the configuration has it: first it is not ready any more,
   * then accepts nobody, then ends the connections one after the other.
   */
  drain(): Promise<void>;
  /** Closes all connections (WebSockets with 1012) and the way to Kafka, at once. */
  close(): Promise<void>;
}

/** How often sockets are pinged, in milliseconds; a dead one is cut within twice that. */
const keepAliveMs = 12_000;
/** How long connections may take to close by themselves at shutdown, in milliseconds. */
const closePatienceMs = 2_000;
/** Most lines about slow clients. */
const slowLinesPerMinute = 10;
/** Most lines about limits that clients came to. */
const limitLinesPerMinute = 10;

const slowWords = {
  moved: 'a client was too slow: what waited for it is read again when it takes something',
  cut: 'a client took nothing (limits.stallTimeout): its connection is closed',
} as const satisfies Record<SlowOutcome, string>;

const emptyStart: GraphiqlStart = {
  query: `# Put your project id and key into the headers below: base64 of "projectId:key".
subscription {
  events(topic: "purchases") {
    id
    timestamp
    payload
  }
}
`,
  headers: '{ "Authorization": "Basic ..." }',
};

/** Puts the parts together and listens: the one composition root. */
export async function startServer(
  config: Config,
  {
    logger,
    clock = systemClock,
    graphiql,
    console = { projectId: '', key: '' },
    sharesPort = false,
    worker,
    allMetrics,
    tokenSecret,
    ...given
  }: ServerDependencies,
): Promise<RunningServer> {
  const { kafka, limits } = config;
  const { host, port, tls } = config.listen;
  // Before anything is begun that would have to be ended.
  const certificate = tls === null ? {} : { certificate: readCertificate(tls) };
  const metrics = new Metrics(worker === undefined ? {} : { worker: String(worker) });
  const ofServer = new ServerMetrics(metrics, config.metrics);
  const logLimit = perMinute(clock, limitLinesPerMinute, (limit: string) =>
    logger.info({ limit }, 'a client was refused something over a limit'),
  );
  const onRefused = (code: string, limit: string | undefined): void => {
    ofServer.countRefused(code, limit);
    if (limit !== undefined) logLimit(limit);
  };
  const { driver, updateProjects, keys, tokenMaker, authenticator, hub, contextOf } =
    await openBackend(config, { logger, clock, tokenSecret, metrics, ofServer, ...given });
  const engine = new GraphqlEngine({
    schema: createSchema(),
    limits,
    introspection: config.graphql.introspection,
    maxMessageBytes: limits.messageBytes,
    mask: createErrorMask(logger, onRefused),
  });
  const heartbeat = new Heartbeat(clock, keepAliveMs);
  const sent = new Sent(clock, (lagMs, deliveries) =>
    metrics.deliveryLag.add(lagMs / 1_000, deliveries),
  );
  const connections = new OpenConnections({
    clock,
    onClosed: (transport, code) => ofServer.countClose(transport, code),
  });
  const allowances = new Allowances({
    clock,
    maxConnectionsPerProject: limits.connectionsPerProject,
    bytesPerSecondPerProject: limits.bytesPerSecondPerProject,
  });
  const logSlow = perMinute(clock, slowLinesPerMinute, (outcome: SlowOutcome) =>
    logger.warn({ outcome }, slowWords[outcome]),
  );
  const onSlow = (outcome: SlowOutcome): void => {
    ofServer.countSlow(outcome);
    logSlow(outcome);
  };
  const keepAlive = new KeepAlive({
    clock,
    intervalMs: keepAliveMs,
    stallTimeoutMs: limits.stallTimeoutMs,
    onStalled: () => onSlow('cut'),
  });
  const outgoing = {
    turnEnd: new TurnEnd(),
    maxQueuedBytes: limits.outboundBytesPerConnection,
    sent,
    connections,
    allowances,
    onSlow,
    onRefused: ({ code, details }: MillraceError) => onRefused(code, details.limit),
  };
  const answers = new Answers({
    maxQueriesPerProject: limits.queriesPerProject,
    maxBytesPerProject: bytesForHeap(limits.answerBytesPerProject, 1 / 8),
  });
  const untaken = new UntakenAnswers();
  const graphqlOverHttp = createGraphqlOverHttp(engine, {
    ...outgoing,
    heartbeat,
    maxBodyBytes: limits.inboundFrameBytes,
    answers,
    untaken,
  });
  const page = config.graphql.graphiql ? graphiqlPage(graphiql ?? emptyStart) : undefined;
  const authenticateRequest = (request: RequestHead): Promise<Principal> =>
    inTime(clock, limits.initTimeoutMs, async () =>
      authenticator.authenticate(parseRequest(request)),
    );
  const admitMaker = (request: RequestHead): ReturnType<TokenMaker['admit']> =>
    inTime(clock, limits.initTimeoutMs, async () => tokenMaker.admit(parseRequest(request)));
  const authenticateMessage = async (fields: unknown, url?: string): Promise<Principal> =>
    authenticator.authenticate(parseCredentials(fields, tokenInUrl(url)));
  const graphqlRoute: Route = async (request, response) => {
    // The page holds nothing secret, and is all that is served without credentials: what GraphiQL
    // asks for, it asks for with them.
    if (page !== undefined && isForBrowser(request)) {
      respondGraphiql(request, response, await page());
      return;
    }
    const principal = await authenticateRequest(request);
    await graphqlOverHttp(request, response, contextOf(principal));
  };
  const serveGraphql = createGraphqlWebSocket({
    engine,
    authenticate: authenticateMessage,
    contextOf,
    clock,
    logger,
    initTimeoutMs: limits.initTimeoutMs,
    maxSubscriptions: limits.subscriptionsPerConnection,
    answers,
    ...outgoing,
  });

  const feeds = plainFeeds({
    hub,
    authenticateRequest,
    authenticateMessage,
    clock,
    logger,
    initTimeoutMs: limits.initTimeoutMs,
    heartbeat,
    ...outgoing,
  });

  const ownClient = kafka.credentials === 'service' ? driver.connect(kafka.sasl) : undefined;
  let isDraining = false;

  const { connections: configured } = limits;
  const wanted = configured ?? usualConnections;
  const room = roomFor(Math.min(wanted, connectionsForHeap()));
  if (room.connections < wanted) {
    // The usual number is nobody's wish: who is refused for it is logged then.
    logger[configured === null ? 'debug' : 'warn'](
      { connections: room.connections, configured: wanted },
      'this process has not files or heap enough for limits.connections: raise what ulimit -n tells, or --max-old-space-size',
    );
  }
  const { server, ...http } = createHttpServer({
    ...certificate,
    routes: [
      ['/', welcomeRoute({ console: config.http.console, graphiql: config.graphql.graphiql })],
      ['/graphql', graphqlRoute],
      ...feeds.routes,
      ['/tokens', createTokensRoute({ admit: admitMaker, maxBodyBytes: limits.inboundFrameBytes })],
      ...(config.http.console ? consoleRoutes(console) : []),
      ...healthRoutes({
        clock,
        isDraining: () => isDraining,
        login: ownClient && (() => ownClient.login()),
        brokers: kafka.brokers,
        feeds: () => hub.registry.feeds(),
      }),
      [
        '/metrics',
        createMetricsRoute({
          text: allMetrics ?? (() => metrics.text()),
          contentType: metrics.contentType,
          token: config.metrics.token,
        }),
      ],
    ],
    socketRoutes: [
      [
        '/graphql',
        {
          protocols: ['graphql-transport-ws'],
          serve: (socket, stream, { url }) => serveGraphql(socket, stream, url),
        },
      ],
      ...feeds.socketRoutes,
    ],
    onSocket: (socket, { socket: connection }) => {
      keepAlive.watch(socket, connection);
    },
    onSocketClosed: (socket) => keepAlive.forget(socket),
    onRefused: outgoing.onRefused,
    allowedOrigins: config.http.allowedOrigins,
    compression: config.http.compression,
    limits: {
      maxConnections: room.connections,
      maxRefusedConnections: room.refused,
      headersTimeoutMs: limits.headersTimeoutMs,
      requestTimeoutMs: limits.requestTimeoutMs,
      maxHeaderBytes: limits.headerBytes,
    },
    maxInboundFrameBytes: limits.inboundFrameBytes,
    clock,
    maxStallMs: limits.stallTimeoutMs,
    onStalled: () => onSlow('cut'),
    lostPeers: new LostPeers({ clock }),
    logger,
  });

  const sockets = http.connections;
  ofServer.observe({ hub, connections, allowances, answers, sent, untaken, sockets });
  metrics.onScrape((scrape) => {
    const build = { version, node: process.version, kafka_client: driver.name };
    scrape.add('millrace_build_info', build, 1);
  });

  const stop = async (): Promise<void> => {
    keepAlive.stop();
    heartbeat.stop();
    keys.close();
    await Promise.all([hub.close(), ownClient?.close()]);
  };
  try {
    server.listen({ port, host, reusePort: sharesPort });
    await once(server, 'listening');
  } catch (error) {
    await stop();
    throw error;
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('listening on no port');
  const name = host.includes(':') ? `[${host}]` : host;
  const certificateWatch =
    tls === null ? undefined : watchCertificate(tls, { renew: http.renew, clock, logger });
  const gone = new Promise<void>((resolve) => {
    server.once('close', () => resolve());
  });

  return {
    url: `${tls === null ? 'http' : 'https'}://${name}:${address.port}`,
    metrics: () => metrics.text(),
    hub,
    updateProjects,
    async drain() {
      isDraining = true;
      await pause(clock, config.shutdown.readyDelayMs);
      server.close();
      await connections.letGo(config.shutdown.drainTimeMs);
    },
    async close() {
      isDraining = true;
      certificateWatch?.close();
      server.close();
      connections.letAllGo();
      const patience = clock.schedule(closePatienceMs, () => http.cut());
      await stop();
      await gone;
      patience.cancel();
    },
  };
}

/** Serves with a new certificate as soon as both its files are in their places. */
function watchCertificate(
  files: TlsFiles,
  { renew, clock, logger }: Pick<Listener, 'renew'> & { clock: Clock; logger: Logger },
): FileWatch {
  return new FileWatch({
    files: [files.certFile, files.keyFile],
    what: 'certificate',
    clock,
    logger,
    onChange: () => {
      try {
        renew(readCertificate(files));
      } catch (err) {
        logger.error({ err }, 'certificate: the new one cannot be used; the former is kept');
      }
    },
  });
}

function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.schedule(delayMs, resolve);
  });
}
