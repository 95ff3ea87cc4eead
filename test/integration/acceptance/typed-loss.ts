import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { KafkaAccess, TopicOptions } from '../../../scripts/kafka/access.ts';
import { type Received, subscribers } from '../../support/graphql-client.ts';
import { until } from '../../support/until.ts';
import { type ProjectTopic, reader } from './real-server.ts';

/** A subscription in `ARRIVAL` order over WebSocket, from wherever `args` say. */
export function subscribeTo(
  t: TestContext,
  {
    url,
    topic,
    args = {},
  }: {
    readonly url: string;
    readonly topic: ProjectTopic;
    readonly args?: { readonly after?: string | undefined; readonly since?: string };
  },
): Received {
  return subscribers['graphql-ws'](t, {
    url,
    login: reader,
    query: `subscription($topic: String!, $after: Cursor, $since: DateTime) {
      events(topic: $topic, order: ARRIVAL, after: $after, since: $since) { sequence cursor }
    }`,
    variables: { topic: topic.name, ...args },
  });
}

export function sequencesOf(received: Received): string[] {
  return column(received, 'sequence');
}

export function cursorsOf(received: Received): string[] {
  return column(received, 'cursor');
}

/** With what a subscription ends. */
export async function refusalOf(received: Received): Promise<{ code: unknown; ranges: unknown }> {
  const errors = await received.ended;
  assert.ok(Array.isArray(errors), `ended without an error: ${JSON.stringify(errors)}`);
  const { code, ranges } = Object(errors[0]).extensions;
  return { code, ranges };
}

/** Deletes the topic and creates it again, under the same name. */
export async function untilRecreated(
  kafka: KafkaAccess,
  kafkaTopic: string,
  options: TopicOptions,
): Promise<void> {
  await kafka.deleteTopic(kafkaTopic);
  // Deleting ends some time after it is answered; until then the name is taken.
  await until(`${kafkaTopic} to be created again`, () =>
    kafka.createTopic(kafkaTopic, options).then(
      () => true,
      () => false,
    ),
  );
}

function column({ results }: Received, name: string): string[] {
  return results.flatMap(({ data }) => {
    const value: unknown = Object(data?.['events'])[name];
    return typeof value === 'string' ? [value] : [];
  });
}
