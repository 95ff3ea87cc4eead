import type { Admin } from 'kafkajs';
import kafkajs from './kafkajs.ts';
import type { Listener } from './properties.ts';
import { hasScramUser, removeScramUser, setScramUser } from './scram.ts';
import { until } from './until.ts';

const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, Kafka, logLevel } = kafkajs;
const patternTypes = {
  literal: kafkajs.ResourcePatternTypes.LITERAL,
  prefixed: kafkajs.ResourcePatternTypes.PREFIXED,
};
const operationTypes = {
  READ: AclOperationTypes.READ,
  WRITE: AclOperationTypes.WRITE,
  DESCRIBE: AclOperationTypes.DESCRIBE,
};

/**
 * How long a broker may take for a change, in milliseconds: less than kafkajs waits for its answer. Told that it has
 * taken too long, kafkajs would ask for the same change again, and be told that it has been made.
 */
const changeWithinMs = 25_000;

/** All that another process needs to use a cluster; goes through JSON. */
export interface KafkaCoordinates {
  /** `host:port` of every node, by listener. */
  readonly brokers: Readonly<Record<Listener, readonly string[]>>;
  /** What a client of the `saslSsl` listener must trust. */
  readonly caPem: string;
}

export interface TopicOptions {
  /** @default 1 */
  readonly partitions?: number;
  /** @default the number of nodes, at most 3 */
  readonly replicationFactor?: number;
  /** Topic settings, such as `retention.ms`. */
  readonly config?: Readonly<Record<string, string>>;
}

/** What a user may do with which topics. */
export interface TopicAcl {
  /** `literal` with the topic `*` means all topics. */
  readonly pattern: 'prefixed' | 'literal';
  readonly topic: string;
  /** @default ['READ', 'DESCRIBE'] */
  readonly operations?: readonly ('READ' | 'WRITE' | 'DESCRIBE')[];
}

export interface PartitionRange {
  readonly partition: number;
  /** The first offset that the log still holds. */
  readonly low: number;
  /** One past the last. */
  readonly high: number;
}

/** The administrator's hand on a running cluster, from any process. */
export class KafkaAccess {
  readonly coordinates: KafkaCoordinates;

  constructor(coordinates: KafkaCoordinates) {
    this.coordinates = coordinates;
  }

  /** `host:port` of every node. */
  bootstrap(listener: Listener): string[] {
    return [...this.coordinates.brokers[listener]];
  }

  get caPem(): string {
    return this.coordinates.caPem;
  }

  /** kafkajs as the administrator, who may do everything. */
  client(clientId = 'millrace-test'): InstanceType<typeof Kafka> {
    return new Kafka({
      clientId,
      brokers: this.bootstrap('admin'),
      logLevel: logLevel.NOTHING,
      connectionTimeout: 5_000,
      retry: { initialRetryTime: 50, retries: 10, maxRetryTime: 2_000 },
    });
  }

  /** Lends a connected admin client. */
  async administrate<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.client().admin();
    await admin.connect();
    try {
      return await use(admin);
    } finally {
      await admin.disconnect();
    }
  }

  /** Resolves when every partition is served by its leader. @throws if the topic exists. */
  async createTopic(name: string, options: TopicOptions = {}): Promise<void> {
    const { partitions = 1, replicationFactor = -1, config = {} } = options;
    const configEntries = Object.entries(config).map(([key, value]) => ({ name: key, value }));
    const topics = [{ topic: name, numPartitions: partitions, replicationFactor, configEntries }];
    await this.administrate(async (admin) => {
      // Not `waitForLeaders`: kafkajs gives up where a broker has not heard of the topic yet.
      const created = await admin.createTopics({
        topics,
        waitForLeaders: false,
        timeout: changeWithinMs,
      });
      if (!created) throw new Error(`The topic ${name} exists already.`);
      await until(async () => (await partitionRanges(admin, name)).length === partitions);
    });
  }

  async deleteTopic(name: string): Promise<void> {
    await this.administrate((admin) =>
      admin.deleteTopics({ topics: [name], timeout: changeWithinMs }),
    );
  }

  /** `total` counts those that exist. */
  async addPartitions(name: string, total: number): Promise<void> {
    const topicPartitions = [{ topic: name, count: total }];
    await this.administrate(async (admin) => {
      await admin.createPartitions({ topicPartitions, timeout: changeWithinMs });
      await until(async () => (await partitionRanges(admin, name)).length === total);
    });
  }

  /** Replaces all settings of the topic that differ from the cluster's. */
  async setTopicConfig(name: string, config: Readonly<Record<string, string>>): Promise<void> {
    const configEntries = Object.entries(config).map(([key, value]) => ({ name: key, value }));
    const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name, configEntries };
    await this.administrate((admin) =>
      admin.alterConfigs({ validateOnly: false, resources: [resource] }),
    );
  }

  /** Deletes all records below `offset`, as retention would. */
  async deleteRecords(topic: string, partition: number, offset: number): Promise<void> {
    const partitions = [{ partition, offset: String(offset) }];
    await this.administrate(async (admin) => {
      // Looks up the leaders, which kafkajs 2.2.4 forgets to do before it deletes.
      await partitionRanges(admin, topic);
      await admin.deleteTopicRecords({ topic, partitions });
    });
  }

  async offsets(topic: string): Promise<PartitionRange[]> {
    return this.administrate((admin) => partitionRanges(admin, topic));
  }

  /** The id of the node that leads the partition; ids begin at 1. */
  async leader(topic: string, partition: number): Promise<number> {
    const { topics } = await this.administrate((admin) =>
      admin.fetchTopicMetadata({ topics: [topic] }),
    );
    const found = topics[0]?.partitions.find(({ partitionId }) => partitionId === partition);
    if (found === undefined) throw new Error(`${topic} has no partition ${partition}.`);
    return found.leader;
  }

  /** Resolves when the brokers hold to it. */
  async setAcl(user: string, acl: TopicAcl): Promise<void> {
    await this.administrate(async (admin) => {
      await admin.createAcls({ acl: aclEntries(user, acl) });
      await until(async () => (await countAcls(admin, user, acl)) === aclEntries(user, acl).length);
    });
  }

  /** Resolves when the brokers hold to it. Open connections are checked at each request. */
  async removeAcl(user: string, acl: TopicAcl): Promise<void> {
    await this.administrate(async (admin) => {
      await admin.deleteAcls({ filters: aclEntries(user, acl) });
      await until(async () => (await countAcls(admin, user, acl)) === 0);
    });
  }

  /** A user for SCRAM-SHA-256 and -512, or a new password for it. Has no ACLs yet. */
  async addScramUser(name: string, password: string): Promise<void> {
    await this.#onAnyNode((broker) => setScramUser(broker, name, password));
    await until(() => this.#onAnyNode((broker) => hasScramUser(broker, name)));
  }

  /** Later logins are refused. Open connections go on until `connections.max.reauth.ms`. */
  async removeScramUser(name: string): Promise<void> {
    await this.#onAnyNode((broker) => removeScramUser(broker, name));
    await until(async () => !(await this.#onAnyNode((broker) => hasScramUser(broker, name))));
  }

  async #onAnyNode<T>(act: (broker: string) => Promise<T>): Promise<T> {
    const failures: unknown[] = [];
    for (const broker of this.bootstrap('admin')) {
      try {
        return await act(broker);
      } catch (error) {
        failures.push(error);
      }
    }
    throw new AggregateError(failures, 'No node would do it.');
  }
}

function aclEntries(user: string, acl: TopicAcl) {
  const { pattern, topic, operations = ['READ', 'DESCRIBE'] } = acl;
  return operations.map((operation) => ({
    resourceType: AclResourceTypes.TOPIC,
    resourceName: topic,
    resourcePatternType: patternTypes[pattern],
    principal: `User:${user}`,
    host: '*',
    operation: operationTypes[operation],
    permissionType: AclPermissionTypes.ALLOW,
  }));
}

async function countAcls(admin: Admin, user: string, acl: TopicAcl): Promise<number> {
  const answers = await Promise.all(
    aclEntries(user, acl).map((entry) => admin.describeAcls(entry)),
  );
  return answers.flatMap(({ resources }) => resources.flatMap(({ acls }) => acls)).length;
}

/**
 * Asks the leaders, and again while one is not ready: a broker names the leader of a new partition
 * a moment before that one serves it, and kafkajs gives up on the answer.
 */
async function partitionRanges(admin: Admin, topic: string): Promise<PartitionRange[]> {
  let ranges: PartitionRange[] = [];
  await until(async () => {
    try {
      const found = await admin.fetchTopicOffsets(topic);
      ranges = found
        .map(({ partition, low, high }) => ({ partition, low: Number(low), high: Number(high) }))
        .toSorted((a, b) => a.partition - b.partition);
      return true;
    } catch (error) {
      if (error instanceof kafkajs.KafkaJSError && error.retriable) return false;
      throw error;
    }
  });
  return ranges;
}
