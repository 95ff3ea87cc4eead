import type { TestContext } from 'node:test';
import type { Principal } from '../../src/auth/principal.ts';
import { Revocation } from '../../src/auth/revocation.ts';
import { MillraceError } from '../../src/core/errors.ts';
import { Hub, type HubOptions } from '../../src/hub/hub.ts';
import type { EventsRequest } from '../../src/hub/requests.ts';
import type { DeadLetterMessage, EventMessage } from '../../src/hub/message.ts';
import type { Subscription } from '../../src/hub/subscription.ts';
import type { TopicSettings } from '../../src/hub/topic-settings.ts';
import { EmbeddedKafka } from '../../src/kafka/embedded/embedded-kafka.ts';
import type { KafkaClient, KafkaDriver, ReaderOptions } from '../../src/kafka/port.ts';
import { captureLog } from './captured-log.ts';
import { ManualClock, settle } from './manual-clock.ts';

export const topicSettings: TopicSettings = {
  id: 'id',
  timestamp: 'at',
  sequence: 'n',
  order: 'TIMESTAMP',
  latenessMs: 2_000,
  maxAdvanceMs: 1_000,
  dedupWindowMs: 600_000,
  maxDedupBytes: 2 ** 20,
  maxHeldBytes: 2 ** 20,
  maxStallMs: 10_000,
};

/** What a driver was asked to do, and what of it is still open. */
export interface Use {
  connected: number;
  openClients: number;
  opened: number;
  readonly openReaders: Set<string>;
}

/** Hands copies over that are wiped after the call, as drivers use the memory of an answer again: nobody may keep a slice. */
function wiping(options: ReaderOptions): ReaderOptions {
  return {
    ...options,
    onBatches(batches) {
      const lent: Buffer[] = [];
      const lend = (bytes: Buffer | null): Buffer | null => {
        if (bytes === null) return null;
        const copy = Buffer.from(bytes);
        lent.push(copy);
        return copy;
      };
      options.onBatches(
        batches.map((batch) => ({
          ...batch,
          records: batch.records.map((record) => ({
            offset: record.offset,
            timestampMs: record.timestampMs,
            get key() {
              return lend(record.key);
            },
            get value() {
              return lend(record.value);
            },
          })),
        })),
      );
      for (const copy of lent) copy.fill(0xff);
    },
  };
}

/** Counts the clients and readers that are opened and closed. */
function counted(driver: KafkaDriver, use: Use): KafkaDriver {
  return {
    name: driver.name,
    connect(sasl) {
      use.connected += 1;
      use.openClients += 1;
      const client = driver.connect(sasl);
      const counting: KafkaClient = {
        login: () => client.login(),
        clusterId: () => client.clusterId(),
        listTopics: () => client.listTopics(),
        describeTopics: (topics) => client.describeTopics(topics),
        listOffsets: (topics, at) => client.listOffsets(topics, at),
        openReader(options) {
          use.opened += 1;
          const name = `${options.topic} ${use.opened}`;
          use.openReaders.add(name);
          const reader = client.openReader(wiping(options));
          return {
            get status() {
              return reader.status;
            },
            pause: (partitions) => reader.pause(partitions),
            resume: (partitions) => reader.resume(partitions),
            async close() {
              await reader.close();
              use.openReaders.delete(name);
            },
          };
        },
        async close() {
          use.openClients -= 1;
          await client.close();
        },
      };
      return counting;
    },
  };
}

export interface TestPrincipal extends Principal {
  /** How many retain it at the moment. */
  retained: number;
  revoke(): void;
}

export function principalOf(projectId = 'acme', topics: readonly string[] | null = null) {
  const revocation = new Revocation();
  const principal: TestPrincipal = {
    projectId,
    key: { name: 'test', kind: 'READ', topics },
    filter: [],
    login: null,
    loginId: `login of ${projectId}`,
    revoked: revocation,
    retained: 0,
    mayRead(topic) {
      if (topics !== null && !topics.includes(topic)) {
        throw new MillraceError('FORBIDDEN', `this key may not read topic ${topic}`);
      }
    },
    retain() {
      revocation.throwIfAborted();
      principal.retained += 1;
      return () => {
        principal.retained -= 1;
      };
    },
    revoke: () => revocation.abort(new MillraceError('UNAUTHENTICATED', 'this key was revoked')),
  };
  return principal;
}

export interface HubSetUp {
  /** Topic to number of partitions. @default { purchases: 3 } */
  readonly topics?: Readonly<Record<string, number>>;
  readonly settings?: Partial<TopicSettings>;
  readonly options?: Partial<HubOptions>;
  /** What the hub reads with instead of the embedded log. */
  readonly driver?: (embedded: KafkaDriver) => KafkaDriver;
}

export const lingerMs = 30_000;

/** A hub over an embedded log, both on a clock that stands still. */
export function openHub(
  t: TestContext,
  { topics = { purchases: 3 }, settings, options, driver }: HubSetUp = {},
) {
  const clock = new ManualClock();
  const log = captureLog();
  const kafka = new EmbeddedKafka({ clock });
  for (const [name, partitions] of Object.entries(topics)) kafka.createTopic(name, partitions);
  const use: Use = { connected: 0, openClients: 0, opened: 0, openReaders: new Set() };
  const embedded = kafka.driver();
  const hub = new Hub({
    driver: counted(driver?.(embedded) ?? embedded, use),
    clock,
    secret: 'test',
    historyBytes: 2 ** 20,
    keeping: { maxValues: 1_000, maxBytes: 2 ** 20 },
    maxWarmUpRecords: 100_000,
    topicTemplate: '{topic}',
    deadLetterSuffix: '-dlq',
    settingsOf: () => ({ ...topicSettings, ...settings }),
    lingerMs,
    maxQueuedBytes: 2 ** 20,
    maxCatchUpReadersPerProject: 2,
    maxTopicsPerProject: 100,
    maxRecentBytes: 2 ** 20,
    maxRecentReadersPerProject: 2,
    logger: log.logger,
    ...options,
  });
  t.after(() => hub.close());
  const principal = principalOf();

  /** Records an event; its own time is now, or so long ago. */
  const record = (
    id: string,
    {
      topic = 'purchases',
      partition = 0,
      agoMs = 0,
      ...more
    }: { topic?: string; partition?: number; agoMs?: number; pad?: string } = {},
  ) =>
    kafka.append(topic, {
      partition,
      value: JSON.stringify({ id, at: new Date(clock.now() - agoMs).toISOString(), ...more }),
    });

  const events = (
    request: Partial<EventsRequest> = {},
    by: Principal = principal,
  ): Promise<Subscription<EventMessage>> =>
    hub.events(by, { topic: 'purchases', deduplicate: true, where: [], ...request });

  return { clock, kafka, hub, log, use, principal, record, events };
}

export type TestHub = ReturnType<typeof openHub>;

/** Takes all that comes, as it comes. */
export function collect<Message extends EventMessage | DeadLetterMessage>(
  subscription: Subscription<Message>,
) {
  const taken = { messages: [] as Message[], ended: false, error: undefined as unknown };
  void (async () => {
    try {
      for await (const batch of subscription) taken.messages.push(...batch);
    } catch (error) {
      taken.error = error;
    }
    taken.ended = true;
  })();
  return {
    get ids() {
      return taken.messages.map((message) =>
        'event' in message ? message.event.id : message.deadLetter.event,
      );
    },
    get cursors() {
      return taken.messages.map(({ cursor }) => cursor);
    },
    get sortedIds() {
      return this.ids.map(String).toSorted();
    },
    get late() {
      return taken.messages
        .filter((message) => 'late' in message && message.late)
        .map((message) => ('event' in message ? message.event.id : null));
    },
    get ended() {
      return taken.ended;
    },
    get error() {
      return taken.error;
    },
  };
}

/** Waits for what a promise answers while the clock stands still. */
export async function settled<T>(promise: Promise<T>): Promise<T> {
  await settle();
  return promise;
}
