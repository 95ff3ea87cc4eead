import type { KafkaAccess } from '../../scripts/kafka/access.ts';
import { testTenants, uniqueTopic } from '../support/kafka.ts';

export interface OverloadOptions {
  readonly kafka: KafkaAccess;
  readonly clients: number;
  readonly log: (line: string) => void;
}

const [acme] = testTenants.projects;

/** The project logs in to the cluster as itself. */
export const login = { projectId: acme.id, key: acme.keys[0] };

/** Settings, by their variables, of a server whose clients log in to the cluster as themselves. */
export function clientSettings(kafka: KafkaAccess, port: number): Record<string, string> {
  return {
    MILLRACE_LISTEN_PORT: String(port),
    MILLRACE_KAFKA_BROKERS: kafka.bootstrap('saslPlaintext').join(),
    MILLRACE_KAFKA_TOPIC_TEMPLATE: '{projectId}.{topic}',
  };
}

/** A topic of one partition, so that its events have one order. */
export async function openTopic(
  kafka: KafkaAccess,
  projectId: string = login.projectId,
): Promise<{ name: string; kafkaTopic: string }> {
  const kafkaTopic = uniqueTopic(`${projectId}.overload`);
  await kafka.createTopic(kafkaTopic);
  return { name: kafkaTopic.slice(projectId.length + 1), kafkaTopic };
}
