import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Certificate } from '../config/certificate.ts';
import type { HttpLimits } from './http-limits.ts';

export interface ListenerOptions {
  /** To serve over TLS with. @default none: without TLS */
  readonly certificate?: Certificate;
  /** @default as many connections as there are, and Node's own times */
  readonly limits?: HttpLimits;
}

export interface Listener {
  readonly server: Server;
  /** Serves new connections with another certificate. @throws {Error} without TLS, or if it is of no use */
  readonly renew: (certificate: Certificate) => void;
}

/**
 * Milliseconds for which a connection without a request is kept: longer than load balancers keep theirs (60 s is
 * usual), which would otherwise send a request into one that is just being closed.
 */
const idleTimeoutMs = 65_000;
/** How often requests that take too long are looked for, in milliseconds. */
const timeoutCheckMs = 1_000;

const minTls = { minVersion: 'TLSv1.2' } as const;

/** Accepts connections of HTTP/1.1, with TLS or without. */
export function createListener(
  { certificate, limits }: ListenerOptions,
  onRequest: RequestListener,
): Listener {
  const options: ServerOptions = {
    ...timesOf(limits),
    keepAliveTimeout: idleTimeoutMs,
    // Other upgrades than to WebSocket (some clients offer h2c with each request) are not taken up.
    shouldUpgradeCallback: asksForWebSocket,
  };
  if (certificate === undefined) {
    return {
      server: createServer(options, onRequest),
      renew: () => {
        throw new Error('there is no certificate to be renewed');
      },
    };
  }
  const handshake = limits === undefined ? {} : { handshakeTimeout: limits.headersTimeoutMs };
  const tlsOptions = { ...options, ...certificate, ...minTls, ...handshake };
  const server = createTlsServer(tlsOptions, onRequest);
  return { server, renew: (next) => server.setSecureContext({ ...next, ...minTls }) };
}

function timesOf(limits: HttpLimits | undefined): ServerOptions {
  if (limits === undefined) return {};
  const { headersTimeoutMs, requestTimeoutMs, maxHeaderBytes } = limits;
  return {
    headersTimeout: headersTimeoutMs,
    // Not less, or Node refuses both.
    requestTimeout: Math.max(headersTimeoutMs, requestTimeoutMs),
    connectionsCheckingInterval: timeoutCheckMs,
    maxHeaderSize: maxHeaderBytes,
  };
}

function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}
