import type { Principal } from '../auth/principal.ts';
import { createDecoder } from '../decode/decoder.ts';
import { kafkaTopic, topicName, topicOf } from '../decode/topic-name.ts';
import { decodeUpstreamDeadLetter } from '../decode/upstream-dead-letter.ts';
import { KafkaError } from '../kafka/port.ts';
import type { ClientPool } from './client-pool.ts';
import type { FeedSource } from './feed-registry.ts';
import type { RefusalOf } from './kafka-refusal.ts';
import type { TopicSettings } from './topic-settings.ts';
import { assertSeesDeadLetters } from './visibility.ts';

export interface TopicsOptions {
  readonly topicTemplate: string;
  readonly deadLetterSuffix: string;
  /** The settings of a topic, by the name that subscribers use. */
  readonly settingsOf: (topic: string) => TopicSettings;
  /** Whether each Kafka topic is one project's. @default false */
  readonly topicsAreOwn?: boolean;
}

interface Parts {
  readonly clients: ClientPool;
  readonly refusalOf: RefusalOf;
}

/** A topic as subscribers call it, and as Kafka does. */
export interface TopicName {
  readonly name: string;
  readonly kafkaTopic: string;
}

/** The topics of the projects: what they are called, who may read them, and what is read for them. */
export class Topics {
  readonly #options: TopicsOptions & Parts;

  constructor(options: TopicsOptions & Parts) {
    this.#options = options;
  }

  /**
   * The topics that the principal may read, by name; dead-letter topics of topics are left out.
   * Rejects with `KAFKA_UNAVAILABLE`.
   */
  async list(principal: Principal): Promise<TopicName[]> {
    const { clients, refusalOf, topicTemplate, deadLetterSuffix } = this.#options;
    const lease = clients.lease(principal);
    try {
      const names = new Set<string>();
      for (const kafkaTopic of await lease.client.listTopics()) {
        const name = topicOf(topicTemplate, principal.projectId, kafkaTopic);
        if (name !== undefined && this.#mayRead(principal, name)) names.add(name);
      }
      const isDeadLetters = (name: string): boolean =>
        name.endsWith(deadLetterSuffix) && names.has(name.slice(0, -deadLetterSuffix.length));
      return [...names]
        .filter((name) => !isDeadLetters(name))
        .toSorted()
        .map((name) => this.nameOf(principal, name));
    } catch (error) {
      throw error instanceof KafkaError ? refusalOf(error, '*') : error;
    } finally {
      lease.release();
    }
  }

  /** A topic's two names. Throws `BAD_USER_INPUT` for a name that Kafka cannot have. */
  nameOf({ projectId }: Principal, name: string): TopicName {
    const { topicTemplate } = this.#options;
    return { name, kafkaTopic: kafkaTopic(topicTemplate, { projectId, topic: name }) };
  }

  /** The names of a topic's dead-letter topic. */
  deadLettersOf(principal: Principal, topic: string): TopicName {
    return this.nameOf(principal, `${topic}${this.#options.deadLetterSuffix}`);
  }

  /**
   * @throws {MillraceError} `FORBIDDEN`: the key may not read the topic; or it has a filter, and these are
   * dead letters under the name of a topic
   */
  assertReadable(principal: Principal, topic: string): void {
    principal.mayRead(topic);
    if (topicName(topic).endsWith(this.#options.deadLetterSuffix)) assertSeesDeadLetters(principal);
  }

  /** @throws {MillraceError} as `nameOf` and `assertReadable` */
  events(principal: Principal, topic: string): FeedSource {
    this.assertReadable(principal, topic);
    const settings = this.#options.settingsOf(topic);
    return {
      topic,
      projectId: this.#options.topicsAreOwn === true ? principal.projectId : null,
      holds: 'events',
      kafkaTopic: this.nameOf(principal, topic).kafkaTopic,
      openDecoder: createDecoder,
      settings,
      whenMissing: 'refuse',
    };
  }

  /** @throws {MillraceError} as `events` */
  deadLetters(principal: Principal, topic: string): FeedSource {
    return {
      ...this.events(principal, topic),
      holds: 'deadLetters',
      kafkaTopic: this.deadLettersOf(principal, topic).kafkaTopic,
      openDecoder: () => decodeUpstreamDeadLetter,
      whenMissing: 'wait',
    };
  }

  #mayRead(principal: Principal, topic: string): boolean {
    try {
      this.assertReadable(principal, topic);
      return true;
    } catch {
      return false;
    }
  }
}
