import { ClientAuthenticator } from './auth/client-authenticator.ts';
import { countedLogins, type LoginResult } from './auth/counted-logins.ts';
import type { Authenticator, KeyAuthenticator, Principal } from './auth/principal.ts';
import { ServiceAuthenticator } from './auth/service-authenticator.ts';
import { TokenAuthenticator } from './auth/tokens/token-authenticator.ts';
import { TokenCodec } from './auth/tokens/token-codec.ts';
import { tokenKeyFrom } from './auth/tokens/token-key.ts';
import { TokenMaker } from './auth/tokens/token-maker.ts';
import { TrustedIssuers } from './auth/tokens/trusted-issuers.ts';
import { type Config, type ProjectConfig, topicConfig } from './config/config.ts';
import { checkIsolation } from './config/rules.ts';
import { type Clock } from './core/clock.ts';
import { Hub } from './hub/hub.ts';
import { refusalOf, refusalsOfService } from './hub/kafka-refusal.ts';
import { WaitingBytes } from './hub/keeping.ts';
import { countedDriver } from './kafka/counted-driver.ts';
import { type KafkaDriver } from './kafka/port.ts';
import type { Logger } from './observe/logger.ts';
import type { Metrics } from './observe/metrics.ts';
import { perMinute } from './observe/rate-limit.ts';
import type { GraphqlContext } from './transports/graphql/context.ts';
import { createTopicLoaders } from './transports/graphql/topic-loaders.ts';
import { bytesForHeap, topicsForHeap } from './transports/heap-room.ts';
import type { ServerMetrics } from './transports/metrics/server-metrics.ts';

export interface BackendOptions {
  readonly logger: Logger;
  /** @default the driver that the configuration names */
  readonly driver?: KafkaDriver;
  readonly clock: Clock;
  /** What tokens are encrypted with where the configuration has no secret. @default this process's own */
  readonly tokenSecret?: string | undefined;
  readonly metrics: Metrics;
  readonly ofServer: ServerMetrics;
}

/** What events come from, and who may have them; whatever serves them stands on it. */
export interface Backend {
  readonly driver: KafkaDriver;
  /**
   * Takes over a changed list of projects and their keys. Without effect where it is the cluster that decides who may
   * log in.
   *
   * @throws if the settings would not keep these projects apart; nothing has changed then
   */
  readonly updateProjects: (projects: readonly ProjectConfig[]) => void;
  readonly keys: KeyAuthenticator;
  readonly tokenMaker: TokenMaker;
  readonly authenticator: Authenticator;
  readonly hub: Hub;
  /** What resolvers work with, for one who was let in. */
  readonly contextOf: (principal: Principal) => GraphqlContext;
}

/** Most lines that a Kafka client's own words may add to the log in a minute. */
const driverLinesPerMinute = 30;

/** Puts together what needs no listener. */
export async function openBackend(
  config: Config,
  { logger, clock, tokenSecret, metrics, ofServer, ...given }: BackendOptions,
): Promise<Backend> {
  const { kafka, limits, tokens } = config;
  const driver = countedDriver(
    given.driver ?? (await createDriver(config, clock, logger)),
    (code) => metrics.count('millrace_kafka_errors_total', { code }),
  );
  const service =
    kafka.credentials === 'service'
      ? new ServiceAuthenticator(config.auth.projects, kafka.sasl)
      : undefined;
  const keys =
    service ??
    new ClientAuthenticator({
      driver,
      clock,
      logger,
      loginCacheTtlMs: kafka.loginCacheTtlMs,
      loginProbeIntervalMs: kafka.loginProbeIntervalMs,
      concurrentLogins: limits.concurrentLogins,
      queuedLogins: limits.queuedLogins,
    });
  const codec = new TokenCodec(
    tokenKeyFrom(tokens.secret ?? config.cursors.secret ?? tokenSecret ?? null),
    clock,
  );
  const { maxExpiresInMs } = tokens;
  const onLogin = (result: LoginResult): void => metrics.count('millrace_logins_total', { result });
  const tokenMaker = new TokenMaker({
    keys: { ...countedLogins(keys, onLogin), referenceTo: (shown) => keys.referenceTo(shown) },
    codec,
    clock,
    maxExpiresInMs,
  });
  const tokenAuthenticator = new TokenAuthenticator({
    keys,
    codec,
    issuers:
      service &&
      new TrustedIssuers(tokens.trusted, {
        projectOf: (projectId) => service.project(projectId),
        clock,
        maxExpiresInMs,
        logger,
      }),
    clock,
    maxUsedTokens: limits.usedTokens,
  });
  const authenticator = countedLogins(tokenAuthenticator, onLogin);
  const logRefusedLogin = perMinute(clock, 1, (message: string) => logger.error(message));
  const refusals =
    kafka.credentials === 'service'
      ? refusalsOfService(({ message }) =>
          logRefusedLogin(`Kafka refuses the login of this server (kafka.sasl): ${message}`),
        )
      : refusalOf;
  const topics = topicsForHeap(config.topics);
  const hub = new Hub({
    driver,
    clock,
    secret: config.cursors.secret,
    historyBytes: bytesForHeap(config.feeds.historyBytes, 1 / 8),
    keeping: {
      maxValues: limits.latestValues,
      maxBytes: limits.latestBytes,
      maxBatchBytes: limits.batchBytes,
      waiting: new WaitingBytes(bytesForHeap(limits.waitingBytesPerProject, 1 / 8)),
    },
    maxWarmUpRecords: config.feeds.warmUpRecords,
    refusalOf: refusals,
    topicTemplate: kafka.topicTemplate,
    deadLetterSuffix: kafka.deadLetterSuffix,
    settingsOf: (topic) => topicConfig({ topics }, topic),
    lingerMs: config.feeds.lingerMs,
    maxQueuedBytes: limits.outboundBytesPerConnection,
    maxSubscriptionsPerProject: limits.subscriptionsPerProject,
    maxConditionsPerProject: limits.conditionsPerProject,
    maxCatchUpReadersPerProject: limits.catchUpReadersPerProject,
    maxTopicsPerProject: limits.topicsPerProject,
    // Several are read at a time.
    maxRecentBytes: bytesForHeap(limits.recentBytes, 1 / 32),
    maxRecentReadersPerProject: limits.recentReadersPerProject,
    topicsAreOwn: kafka.credentials === 'client' || kafka.topicTemplate.includes('{projectId}'),
    onFeedClosed: (feed) => ofServer.feeds.count(feed),
    logger,
  });
  const contextOf = (principal: Principal): GraphqlContext => ({
    principal,
    hub,
    topics: createTopicLoaders(() => hub.registry.clients.lease(principal), refusals),
    maxRecent: limits.recentEvents,
  });
  const updateProjects = (projects: readonly ProjectConfig[]): void => {
    const problems: string[] = [];
    checkIsolation(kafka, projects, (path, message) => problems.push(`${path} ${message}`));
    if (problems.length > 0) throw new Error(problems.join('\n'));
    service?.update(projects);
    hub.rightsChanged();
  };

  return {
    driver,
    updateProjects,
    keys,
    tokenMaker,
    authenticator,
    hub,
    contextOf,
  };
}

/** Loads the one client that is configured, and not the others. */
async function createDriver({ kafka }: Config, clock: Clock, logger: Logger): Promise<KafkaDriver> {
  const { brokers, ssl, clientId } = kafka;
  switch (kafka.client) {
    case 'kafkajs': {
      const { createKafkajsDriver } = await import('./kafka/kafkajs/driver.ts');
      const log = perMinute(clock, driverLinesPerMinute, (level: 'error' | 'warn', text: string) =>
        // What comes of it is told where it matters: these lines are for whoever looks for the cause.
        level === 'error' ? logger.warn(`kafkajs: ${text}`) : logger.debug(`kafkajs: ${text}`),
      );
      return createKafkajsDriver({ brokers, ssl, clientId }, log);
    }
    case 'platformatic': {
      const { createPlatformaticDriver } = await import('./kafka/platformatic/driver.ts');
      return createPlatformaticDriver({ brokers, ssl, clientId });
    }
    case 'embedded': {
      const { EmbeddedKafka } = await import('./kafka/embedded/embedded-kafka.ts');
      return new EmbeddedKafka({ clock }).driver();
    }
  }
}
