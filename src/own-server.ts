import type { GraphQLSchema } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { parseCredentials, parseRequest } from './auth/authorization.ts';
import { openBackend } from './backend.ts';
import type { Config, ProjectConfig } from './config/config.ts';
import { systemClock } from './core/clock.ts';
import type { KafkaDriver } from './kafka/port.ts';
import { createLogger, type Logger } from './observe/logger.ts';
import { Metrics } from './observe/metrics.ts';
import { createErrorMask } from './transports/graphql/errors.ts';
import type { GraphqlContext } from './transports/graphql/context.ts';
import { createSchemaForOthers } from './transports/graphql/schema-for-others.ts';
import { exactJson } from './transports/graphql/exact-json.ts';
import { ServerMetrics } from './transports/metrics/server-metrics.ts';

export interface OpenSchemaOptions {
  /** @default the driver that the configuration names */
  readonly driver?: KafkaDriver;
  /** @default one that writes to standard error, with the level of the configuration */
  readonly logger?: Logger;
}

/** What the resolvers of Millrace look for in the context of an operation. */
export interface MillraceContext {
  readonly millrace: GraphqlContext;
}

/** Millrace's part of a GraphQL server of somebody else's. */
export interface MillraceSchema {
  /** To be served as it is, or merged with others. */
  readonly schema: GraphQLSchema;
  /** A plugin for yoga, by which payloads keep all digits of their numbers. */
  readonly plugin: Plugin;
  /**
   * Lets in who asks, by the `Authorization` header of the request.
   *
   * @returns what is to be spread into the context of the operation
   * @throws {MillraceError} `UNAUTHENTICATED`, `FORBIDDEN`, `KAFKA_UNAVAILABLE`
   */
  contextOf(request: Request): Promise<MillraceContext>;
  /** As `contextOf`, for one of whom it is known who it is. @param credentials `projectId` and `key`, or `token` */
  contextFor(credentials: CredentialFields): Promise<MillraceContext>;
  /**
   * Takes over a changed list of projects and their keys.
   *
   * @throws if the settings that it was opened with (`kafka.topicTemplate`) would not keep these projects apart;
   *   nothing has changed then
   */
  updateProjects(projects: readonly ProjectConfig[]): void;
  /** Ends all subscriptions and the way to Kafka. */
  close(): Promise<void>;
}

export type CredentialFields =
  | { readonly projectId: string; readonly key: string }
  | { readonly token: string };

/**
 * Millrace without a listener: its schema, for a GraphQL server of one's own. There each subscriber has its own
 * execution of each event, as GraphQL servers do it; `limits` of connections and documents are that server's.
 */
export async function openSchema(
  config: Config,
  { logger = createLogger({ level: config.log.level }), ...given }: OpenSchemaOptions = {},
): Promise<MillraceSchema> {
  // Nobody asks for them: what is to be counted, the other server counts.
  const metrics = new Metrics();
  const ofServer = new ServerMetrics(metrics, config.metrics);
  const { authenticator, contextOf, hub, keys, updateProjects } = await openBackend(config, {
    logger,
    clock: systemClock,
    metrics,
    ofServer,
    ...given,
  });
  return {
    schema: createSchemaForOthers(createErrorMask(logger)),
    plugin: exactJson(),
    async contextOf({ headers, url }) {
      const authorization = headers.get('authorization') ?? undefined;
      const credentials = parseRequest({ headers: { authorization }, url });
      return { millrace: contextOf(await authenticator.authenticate(credentials)) };
    },
    async contextFor(fields) {
      return { millrace: contextOf(await authenticator.authenticate(parseCredentials(fields))) };
    },
    updateProjects,
    async close() {
      keys.close();
      await hub.close();
    },
  };
}
