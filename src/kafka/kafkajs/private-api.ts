import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { Kafka } from 'kafkajs';

/*
 * kafkajs reads only through consumer groups, so this driver goes in by the private door: single
 * connections and the request table. Both are frozen with the version that package.json pins.
 */
const pinnedVersion = '2.2.4';

/** A request and how to read its answer. kafkajs runs `decode`, heeds the throttle time, then `parse`. */
export interface WireRequest<Answer extends WireAnswer> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    /** The body, without the header. */
    readonly encode: () => Promise<WireBody>;
  };
  readonly response: {
    readonly decode: (payload: Buffer) => Promise<Answer>;
    readonly parse: (decoded: Answer) => Promise<Answer>;
  };
}

export interface WireAnswer {
  /** Milliseconds that the broker wants to be left alone. */
  readonly clientSideThrottleTime?: number;
}

/** What kafkajs takes for one of its encoders. */
export interface WireBody {
  readonly buf: Buffer;
  readonly buffer: Buffer;
}

export function wireBody(bytes: Buffer): WireBody {
  return { buf: bytes, buffer: bytes };
}

/** Versions that the broker speaks, by API key. */
export type ApiVersions = Readonly<Record<number, { readonly maxVersion: number } | undefined>>;

export interface ApiVersionsAnswer extends WireAnswer {
  readonly apiVersions: readonly {
    readonly apiKey: number;
    readonly minVersion: number;
    readonly maxVersion: number;
  }[];
}

/** One TCP or TLS connection with its login, and again with a new login when its session runs out. */
export interface WireConnection {
  /** What has come and is not a whole answer, or an empty rest. */
  chunks: Buffer[];
  /** Milliseconds that the broker gave the last login; 0: it does not end. */
  readonly sessionLifetime: { toNumber(): number };
  /** Milliseconds before the end of a session from which on the next request renews the login first. */
  reauthenticationThreshold: number;
  /** Takes what has come over the socket. */
  processData(this: WireConnection, data: Buffer): void;
  connect(): Promise<unknown>;
  setVersions(versions: ApiVersions): void;
  setSupportAuthenticationProtocol(supported: boolean): void;
  authenticate(): Promise<void>;
  send<Answer extends WireAnswer>(request: WireRequest<Answer>): Promise<Answer>;
}

export interface SocketRequest {
  readonly host: string;
  readonly port: number;
  readonly ssl: ConnectionOptions | undefined;
  readonly onConnect: () => void;
}

export type SocketFactory = (request: SocketRequest) => Socket;

/** The queue of requests of one connection. */
export interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests: (this: RequestQueue) => void;
}

interface RequestDefinition {
  protocol(options: {
    version: number;
  }): <Answer extends WireAnswer>(parameters?: object) => WireRequest<Answer>;
}

export interface PrivateApi {
  /** An unconnected connection to one broker, with the client's TLS and login. */
  connection(
    kafka: Kafka,
    address: { readonly host: string; readonly port: number },
  ): Promise<WireConnection>;
  readonly requests: Readonly<
    Record<'Fetch' | 'ListOffsets' | 'Metadata' | 'ApiVersions', RequestDefinition>
  >;
  readonly RequestQueue: { readonly prototype: RequestQueue };
}

interface Cluster {
  readonly connectionPoolBuilder?: {
    build(address: { host: string; port: number }): Promise<{ pool: readonly WireConnection[] }>;
  };
}

let loaded: PrivateApi | null = null;

/** @throws {Error} if another kafkajs is installed than the one whose insides are known */
export function privateApi(): PrivateApi {
  loaded ??= load();
  return loaded;
}

function load(): PrivateApi {
  const require = createRequire(import.meta.url);
  const { version }: { version: string } = require('kafkajs/package.json');
  if (version !== pinnedVersion) {
    throw new Error(`The kafkajs driver needs kafkajs ${pinnedVersion} exactly, not ${version}.`);
  }
  const { requests }: Pick<PrivateApi, 'requests'> = require('kafkajs/src/protocol/requests');
  const queue: PrivateApi['RequestQueue'] = require('kafkajs/src/network/requestQueue');
  return {
    connection,
    requests,
    RequestQueue: queue,
  };
}

async function connection(
  kafka: Kafka,
  address: { readonly host: string; readonly port: number },
): Promise<WireConnection> {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  );
  const createCluster: unknown = symbol && Reflect.get(kafka, symbol);
  if (typeof createCluster !== 'function') {
    throw new Error('kafkajs lacks its private:Kafka:createCluster.');
  }
  const cluster: Cluster = createCluster({ allowAutoTopicCreation: false });
  const pool = await cluster.connectionPoolBuilder?.build({ ...address });
  const [first] = pool?.pool ?? [];
  if (!first) throw new Error('kafkajs lacks its connectionPoolBuilder.');
  return first;
}
