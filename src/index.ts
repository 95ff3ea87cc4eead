/*
 * The package `millrace`, as a library: the whole server, or its subscriptions in a GraphQL server of one's own.
 * What is not exported here may change with every version.
 */

import { startServer as start } from './server.ts';
import type { Config, ProjectConfig } from './config/config.ts';
import type { KafkaDriver } from './kafka/port.ts';
import { createLogger, type Logger } from './observe/logger.ts';

export type { Config, KeyConfig, ProjectConfig } from './config/config.ts';
export { type ConfigSources, type LoadedConfig, loadConfig } from './config/load.ts';
export type { Problem } from './config/problem.ts';
export {
  type ErrorCode,
  type ErrorDetails,
  errorTable,
  type LostRange,
  MillraceError,
} from './core/errors.ts';
export { createLogger, type Logger, type LoggerOptions } from './observe/logger.ts';
export { EmbeddedKafka } from './kafka/embedded/embedded-kafka.ts';
export { systemClock } from './core/clock.ts';
export {
  type MillraceContext,
  type MillraceSchema,
  type OpenSchemaOptions,
  openSchema,
} from './own-server.ts';

export interface StartOptions {
  /** @default the driver that the configuration names */
  readonly driver?: KafkaDriver;
  /** @default one that writes to standard error, with the level of the configuration */
  readonly logger?: Logger;
}

/** A server in this process. */
export interface MillraceServer {
  /** Where it accepts connections, without a path: `http://127.0.0.1:4000`. */
  readonly url: string;
  /**
   * Takes over a changed list of projects and their keys; what is still allowed goes on untouched.
   *
   * @throws if the server's own settings (`kafka.topicTemplate`) would not keep these projects apart; nothing has
   *   changed then
   */
  updateProjects(projects: readonly ProjectConfig[]): void;
  /** Lets the clients go before `close`: `shutdown` in the configuration. */
  drain(): Promise<void>;
  /** Closes all connections and the way to Kafka, at once. */
  close(): Promise<void>;
}

/**
 * Starts a server in this process. It follows no configuration file and no signals: that is yours.
 * Rejects if it cannot listen.
 */
export async function startServer(
  config: Config,
  { logger = createLogger({ level: config.log.level }), ...others }: StartOptions = {},
): Promise<MillraceServer> {
  const server = await start(config, { logger, ...others });
  return {
    url: server.url,
    updateProjects: (projects) => server.updateProjects(projects),
    drain: () => server.drain(),
    close: () => server.close(),
  };
}
