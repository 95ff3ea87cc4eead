import type { KafkaAccess } from '../../scripts/kafka/access.ts';
import { testTenants } from './kafka.ts';
import { testProjects } from './server.ts';

const [bridge] = testTenants.users;

/** Settings, by their variables, of a server that reads the cluster by one login for all. */
export function serviceSettings(
  kafka: KafkaAccess,
  port: number,
  client: 'kafkajs' | 'platformatic',
): Record<string, string> {
  return {
    MILLRACE_LISTEN_PORT: String(port),
    MILLRACE_KAFKA_CLIENT: client,
    MILLRACE_KAFKA_BROKERS: kafka.bootstrap('saslPlaintext').join(),
    MILLRACE_KAFKA_CREDENTIALS: 'service',
    MILLRACE_KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
    MILLRACE_KAFKA_SASL_USERNAME: bridge.name,
    MILLRACE_KAFKA_SASL_PASSWORD: bridge.password,
    MILLRACE_KAFKA_TOPIC_TEMPLATE: '{projectId}.{topic}',
    MILLRACE_AUTH_PROJECTS: JSON.stringify(testProjects),
  };
}
