import type { TestContext } from 'node:test';
import type { KafkaAccess } from '../../../scripts/kafka/access.ts';
import type { Config } from '../../../src/config/config.ts';
import type { RunningServer, ServerDependencies } from '../../../src/server.ts';
import { privateTopic, testTenants } from '../../support/kafka.ts';
import { runServer, testConfig } from '../../support/server.ts';

/** The Kafka clients that talk to a real cluster, by their names in the configuration. */
export const kafkaClients = ['kafkajs', 'platformatic'] as const;

export type KafkaClientName = (typeof kafkaClients)[number];

/** Who subscribes where the server has one login for all; see `testProjects`. */
export const reader = { projectId: 'acme', key: 'acme-read' };

const [bridge] = testTenants.users;

/** One login for all projects, SCRAM; topics are `<project id>.<topic>`. */
export function serviceConfig(
  kafka: KafkaAccess,
  client: KafkaClientName,
  settings: Readonly<Record<string, string>> = {},
): Config {
  return testConfig({
    MILLRACE_KAFKA_CLIENT: client,
    MILLRACE_KAFKA_BROKERS: kafka.bootstrap('saslPlaintext').join(),
    MILLRACE_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
    MILLRACE_KAFKA_SASL_USERNAME: bridge.name,
    MILLRACE_KAFKA_SASL_PASSWORD: bridge.password,
    ...settings,
  });
}

/** A server that reads the cluster by the service's login. */
export function runOnKafka(
  t: TestContext,
  kafka: KafkaAccess,
  client: KafkaClientName,
  settings: Readonly<Record<string, string>> = {},
  dependencies: Partial<ServerDependencies> = {},
): Promise<RunningServer> {
  return runServer(t, serviceConfig(kafka, client, settings), dependencies);
}

/** A topic of a project, by the name that its subscribers use and by Kafka's. */
export interface ProjectTopic {
  readonly name: string;
  readonly kafkaTopic: string;
}

/** A topic of acme's that no other test has, deleted after the test. */
export async function projectTopic(
  t: TestContext,
  kafka: KafkaAccess,
  name: string,
  options: Parameters<KafkaAccess['createTopic']>[1] = {},
): Promise<ProjectTopic> {
  const kafkaTopic = await privateTopic(t, kafka, `acme.${name}`, options);
  return { name: kafkaTopic.slice('acme.'.length), kafkaTopic };
}
