import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Clock, systemClock } from '../core/clock.ts';
import { MillraceError } from '../core/errors.ts';
import type { Logger } from '../observe/logger.ts';
import { perMinute } from '../observe/rate-limit.ts';
import { createListener, type Listener, type ListenerOptions } from './listener.ts';
import { type LostPeers, probe } from './lost-peers.ts';
import { isAllowedOrigin, isEmbeddedElsewhere } from './origin.ts';
import { refusalOf, refuse, tooManyConnections } from './http-limits.ts';
import { respond, respondError } from './respond.ts';
import { RouteTable } from './route-table.ts';
import { setSecurityHeaders } from './security-headers.ts';
import { shownError } from './shown-error.ts';
import { StalledResponses } from './stalled-response.ts';
import { acceptableOffer, negotiation } from './websocket/compression-offer.ts';

/**
 * What answers the requests to one path.
 *
 * @param segments what stands in the places of the route's pattern, as it is written
 */
export type Route = (
  request: IncomingMessage,
  response: ServerResponse,
  segments: readonly string[],
) => Promise<void> | void;

/** What serves the WebSockets of one path. */
export interface SocketRoute {
  /** The subprotocols that it speaks; a client that offers none of them is refused. */
  readonly protocols: readonly string[];
  readonly serve: (
    socket: WebSocket,
    stream: Duplex,
    request: IncomingMessage,
    segments: readonly string[],
  ) => void;
}

export interface HttpServerOptions extends ListenerOptions {
  /** By patterns, see `RouteTable`. */
  readonly routes: Iterable<readonly [pattern: string, route: Route]>;
  readonly socketRoutes: Iterable<readonly [pattern: string, route: SocketRoute]>;
  /** Told of each WebSocket before it is served. */
  readonly onSocket?: (socket: WebSocket, request: IncomingMessage) => void;
  /** Told of each when it has closed. */
  readonly onSocketClosed?: (socket: WebSocket) => void;
  /** @default the system's */
  readonly clock?: Clock;
  readonly allowedOrigins: readonly string[];
  /** The largest message of a client, decompressed. */
  readonly maxInboundFrameBytes: number;
  /** Whether to agree on permessage-deflate with the WebSockets that offer it. @default false */
  readonly compression?: boolean;
  /** Milliseconds for which a client may take nothing of a response that waits for it. */
  readonly maxStallMs: number;
  /** Told of each response that was ended for that. @default nobody */
  readonly onStalled?: () => void;
  /** Told of each error that a request is answered with. */
  readonly onRefused?: ((error: MillraceError) => void) | undefined;
  /** Who looks for peers that vanish in the middle of a response. @default nobody */
  readonly lostPeers?: LostPeers;
  readonly logger: Logger;
}

/** Most lines about pages of other origins: anybody may say to be one. */
const originLinesPerMinute = 5;

/** What operators ask for is served however many connections there are. */
const alwaysServed = /^\/(?:health\/[^/]+|metrics)$/;

/** One port for HTTP, SSE and WebSocket: finds the route, and refuses pages of other origins. */
export function createHttpServer(options: HttpServerOptions): {
  server: Server;
  /** See `Listener`. */
  renew: Listener['renew'];
  sockets: ReadonlySet<WebSocket>;
  /** How many connections of whatever kind are open. */
  connections: () => number;
  /** Cuts all of them at once. */
  cut: () => void;
} {
  const { allowedOrigins, logger } = options;
  const logForeignOrigin = perMinute(
    options.clock ?? systemClock,
    originLinesPerMinute,
    ({ headers }: IncomingMessage) =>
      logger.warn(
        { origin: headers.origin },
        'a page of this origin was refused: to let it in, list it in http.allowedOrigins',
      ),
  );
  const routes = new RouteTable(options.routes);
  const socketRoutes = new RouteTable(options.socketRoutes);
  const webSockets = new WebSocketServer({
    noServer: true,
    // What ws tracks them with is larger than what is done below.
    clientTracking: false,
    // One message of each socket in a turn of the event loop: of small ones thousands come at once, for which all others
    // would wait.
    allowSynchronousEvents: false,
    maxPayload: options.maxInboundFrameBytes,
    perMessageDeflate: options.compression === true ? negotiation : false,
    handleProtocols: (offered, request) =>
      protocolOf(offered, socketRoutes.find(pathOf(request))?.served),
  });

  const isTls = options.certificate !== undefined;
  const { limits, clock = systemClock, maxStallMs, onStalled = () => undefined } = options;
  const stalled = new StalledResponses({ clock, maxStallMs, onStalled });
  const { server, renew } = createListener(options, (request, response) => {
    request.url = inOriginForm(request.url);
    setSecurityHeaders(response, isTls);
    stalled.watch(response);
    const unwatch = options.lostPeers?.watch(request.socket, () => response.destroy());
    // Once the server is closing, a connection must not wait for a next request.
    response.once('close', () => {
      unwatch?.();
      if (!server.listening) request.socket.destroySoon();
    });
    answer(request, response).catch((error: unknown) => {
      if (isHangUp(error, request)) return;
      if (!(error instanceof MillraceError)) {
        logger.error({ err: error }, 'unexpected fault while answering a request');
      }
      options.onRefused?.(shownError(error));
      if (response.headersSent) response.destroy();
      else respondError(response, error);
    });
  });

  const open = new Set<Socket>();
  const tooMany = limits && tooManyConnections(limits.maxConnections);
  const crowded = new WeakSet<Duplex>();
  const isCrowded = (request: IncomingMessage): boolean =>
    crowded.has(request.socket) && !alwaysServed.test(pathOf(request));
  if (limits !== undefined) {
    server.maxConnections = limits.maxConnections + limits.maxRefusedConnections;
  }
  server.on('drop', () => {
    if (tooMany !== undefined) options.onRefused?.(tooMany);
  });
  server.on('clientError', (error, stream) => {
    const refusal = limits && refusalOf(error, limits);
    if (refusal !== undefined) options.onRefused?.(refusal.error);
    refuse(stream, refusal?.status ?? '400 Bad Request', refusal?.error);
  });
  // Who has not shaken hands cannot be told anything: what waited to be said would keep the connection for ever.
  server.on('tlsClientError', (_error: Error, stream: Duplex) => stream.destroy());
  // Neither made anew nor by `once`: it would be kept for as long as the connection lives.
  function onConnectionClosed(this: Socket): void {
    open.delete(this);
  }
  server.on('connection', (socket) => {
    probe(socket);
    open.add(socket);
    socket.on('close', onConnectionClosed);
  });
  // What requests come by: not what carries it, with TLS.
  server.on(isTls ? 'secureConnection' : 'connection', (socket: Duplex) => {
    if (limits !== undefined && open.size > limits.maxConnections) crowded.add(socket);
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (tooMany !== undefined && isCrowded(request)) {
      response.setHeader('connection', 'close');
      options.onRefused?.(tooMany);
      return respondError(response, tooMany, 503);
    }
    const route = routes.find(pathOf(request));
    if (route === undefined) {
      const paths = routes.patterns.join(', ');
      const message = `nothing is served at this path; there are ${paths}`;
      respond(response, 404, { errors: [{ message, extensions: { code: 'BAD_USER_INPUT' } }] });
      return;
    }
    // Also without an origin: a cache must not answer others with what is for that.
    response.setHeader('vary', 'origin');
    if (!isAllowedOrigin(request, allowedOrigins)) {
      logForeignOrigin(request);
      throw foreignOrigin(request);
    }
    if (isEmbeddedElsewhere(request)) throw embeddedElsewhere();
    const { origin } = request.headers;
    if (origin !== undefined) response.setHeader('access-control-allow-origin', origin);
    if (request.method === 'OPTIONS') {
      response.setHeader('access-control-allow-methods', 'GET, POST');
      response.setHeader(
        'access-control-allow-headers',
        'authorization, content-type, accept, last-event-id',
      );
      response.setHeader('access-control-max-age', '600');
      response.writeHead(204).end();
      return;
    }
    await route.served(request, response, route.segments);
  }

  // Made here once: what is made in the handlers below keeps the request as long as the connection lives.
  // A client that hangs up during the handshake is no fault of the server.
  const onStreamError = (error: Error): void => logger.debug({ err: error }, 'a socket broke');
  const onSocketError = (error: Error): void =>
    logger.debug({ err: error }, 'a client broke the protocol');
  const sockets = new Set<WebSocket>();
  function onSocketClosed(this: WebSocket): void {
    sockets.delete(this);
    options.onSocketClosed?.(this);
  }

  server.on('upgrade', (request, stream, head) => {
    request.url = inOriginForm(request.url);
    const route = socketRoutes.find(pathOf(request));
    stream.on('error', onStreamError);
    if (tooMany !== undefined && isCrowded(request)) {
      options.onRefused?.(tooMany);
      return refuse(stream, '503 Service Unavailable', tooMany);
    }
    if (route === undefined) return refuse(stream, '404 Not Found');
    if (!isAllowedOrigin(request, allowedOrigins)) {
      // The page is not shown why: browsers keep it from what a refused handshake says.
      logForeignOrigin(request);
      return refuse(stream, '403 Forbidden');
    }
    const { 'sec-websocket-extensions': extensions } = request.headers;
    request.headers['sec-websocket-extensions'] = extensions && acceptableOffer(extensions);
    webSockets.handleUpgrade(request, stream, head, (socket) => {
      // ws has its own from here on. Two would be kept in an array, for as long as the connection lives.
      stream.off('error', onStreamError);
      // Without a listener a client that breaks the protocol would end the process.
      socket.on('error', onSocketError);
      // One for all who want to know: an array of three listeners keeps room for twenty.
      socket.on('close', onSocketClosed);
      sockets.add(socket);
      options.onSocket?.(socket, request);
      route.served.serve(socket, stream, request, route.segments);
    });
  });

  return {
    server,
    renew,
    sockets,
    connections: () => open.size,
    cut() {
      for (const socket of sockets) socket.terminate();
      server.closeAllConnections();
      // Those that have yet to shake hands are none of Node's list.
      for (const socket of open) socket.destroy();
    },
  };
}

/** The client has gone before its request had come as a whole. */
function isHangUp(error: unknown, request: IncomingMessage): boolean {
  return (
    request.destroyed && error instanceof Error && 'code' in error && error.code === 'ECONNRESET'
  );
}

/** A proxy may ask for a whole address (RFC 9112, section 3.2.2); what is served depends on what follows the host. */
function inOriginForm(target = '/'): string {
  const [, rest] = /^https?:\/\/[^/?]*(.*)$/i.exec(target) ?? [];
  if (rest === undefined) return target;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function pathOf({ url }: IncomingMessage): string {
  const [path = '/'] = (url ?? '/').split('?', 1);
  return path;
}

/** The first offered protocol that the route speaks; ws closes the handshake when there is none. */
function protocolOf(offered: ReadonlySet<string>, route: SocketRoute | undefined): string | false {
  for (const protocol of offered) if (route?.protocols.includes(protocol)) return protocol;
  return false;
}

function foreignOrigin({ headers }: IncomingMessage): MillraceError {
  return new MillraceError(
    'FORBIDDEN',
    `pages of the origin ${JSON.stringify(headers.origin)} may not use this server; its operator can list it in http.allowedOrigins`,
  );
}

function embeddedElsewhere(): MillraceError {
  return new MillraceError(
    'FORBIDDEN',
    'pages of other sites may not embed what this server answers: let them fetch it, from an origin in http.allowedOrigins',
  );
}
