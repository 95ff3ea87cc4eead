import type { Clock } from '../core/clock.ts';
import { KafkaError } from '../kafka/port.ts';
import { reachBrokers } from '../kafka/reach-brokers.ts';
import type { Route } from './http-server.ts';
import { type Readiness, ReadinessProbe, readinessOfFeeds } from './readiness.ts';
import { respond } from './respond.ts';

export interface HealthOptions {
  readonly clock: Clock;
  /** It has been told to stop. */
  readonly isDraining: () => boolean;
  /** The server's own login to Kafka; undefined: it has none, and its clients' feeds tell how the cluster is. */
  readonly login: (() => Promise<void>) | undefined;
  /** `host:port`. None: there is nothing to be out of reach. */
  readonly brokers: readonly string[];
  /** All that are open. */
  readonly feeds: () => Iterable<{ readonly state: string }>;
}

/** How long a broker may take to take a connection, in milliseconds. */
const reachWithinMs = 2_000;

/** `GET /health/live`: the process answers. `GET /health/ready`: it can do its work, or why not. */
export function healthRoutes(
  options: HealthOptions,
): readonly (readonly [pattern: string, route: Route])[] {
  const readiness = readinessOf(options);
  return [
    ['/health/live', (_request, response) => respond(response, 200, { status: 'ok' })],
    [
      '/health/ready',
      async (_request, response) => {
        const answer = await readiness();
        respond(response, answer.status === 'ready' ? 200 : 503, answer);
      },
    ],
  ];
}

/** @returns asks for it; however often, the cluster is asked now and then */
export function readinessOf({
  clock,
  isDraining,
  login,
  brokers,
  feeds,
}: HealthOptions): () => Promise<Readiness> {
  const probe = new ReadinessProbe({
    clock,
    // Without a login of its own it can ask the brokers for nothing but a connection.
    contact: async () => {
      if (login !== undefined) await login();
      else if (brokers.length > 0) await reachBrokers(brokers, reachWithinMs);
    },
    reasonOf: (error) =>
      error instanceof KafkaError && error.code === 'AUTHENTICATION_FAILED'
        ? 'Kafka refuses the login of this server'
        : 'Kafka cannot be reached',
  });
  return async () => {
    if (isDraining()) return { status: 'draining' };
    // What is being read is the better sign, where it is not this server that logs in.
    const ofFeeds = login === undefined ? readinessOfFeeds(feeds()) : undefined;
    return ofFeeds ?? probe.check();
  };
}
