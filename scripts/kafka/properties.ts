/** The doors of a node. `admin`: no login, a super user. `oauth`: OAUTHBEARER with unsigned tokens. */
export type Listener = 'admin' | 'saslPlaintext' | 'saslSsl' | 'oauth';

export const listeners: readonly Listener[] = ['admin', 'saslPlaintext', 'saslSsl', 'oauth'];

const listenerNames = {
  admin: 'PLAINTEXT',
  saslPlaintext: 'SASL_PLAINTEXT',
  saslSsl: 'SASL_SSL',
  oauth: 'OAUTH',
} as const satisfies Record<Listener, string>;

export interface NodePorts extends Readonly<Record<Listener, number>> {
  readonly controller: number;
}

/** What one node's `server.properties` is made from. */
export interface NodeSettings {
  /** From 1. */
  readonly nodeId: number;
  /** The ports of all nodes, that of node 1 first. */
  readonly ports: readonly NodePorts[];
  readonly logDir: string;
  readonly keystoreFile: string;
  readonly keystorePassword: string;
  /** User name to password, for PLAIN. */
  readonly plainUsers: ReadonlyMap<string, string>;
  /** Win over everything else. */
  readonly properties: Readonly<Record<string, string>>;
}

const host = '127.0.0.1';
const security = 'org.apache.kafka.common.security';

/** One node's properties. @throws if `nodeId` has no ports, or a user name cannot be written down. */
export function nodeProperties(settings: NodeSettings): Record<string, string> {
  const ports = settings.ports[settings.nodeId - 1];
  if (ports === undefined) throw new RangeError(`Node ${settings.nodeId} has no ports.`);
  const replicas = String(Math.min(settings.ports.length, 3));
  const address = (listener: Listener) => `${listenerNames[listener]}://${host}:${ports[listener]}`;
  const properties: Record<string, string> = {
    'process.roles': 'broker,controller',
    'node.id': String(settings.nodeId),
    'controller.quorum.voters': settings.ports
      .map(({ controller }, index) => `${index + 1}@${host}:${controller}`)
      .join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': listenerNames.admin,
    listeners: [`CONTROLLER://${host}:${ports.controller}`, ...listeners.map(address)].join(','),
    'advertised.listeners': listeners.map(address).join(','),
    'listener.security.protocol.map':
      'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,' +
      'SASL_SSL:SASL_SSL,OAUTH:SASL_PLAINTEXT',
    'log.dirs': settings.logDir,
    'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
    'super.users': 'User:ANONYMOUS',
    'auto.create.topics.enable': 'false',
    'group.initial.rebalance.delay.ms': '0',
    'message.max.bytes': '1048588',
    'default.replication.factor': replicas,
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': '1',
    'transaction.state.log.num.partitions': '1',
    // A small machine runs three of these beside the tests.
    'log.cleaner.dedupe.buffer.size': '2097152',
    'num.network.threads': '2',
    'num.io.threads': '4',
    'log.index.size.max.bytes': '1048576',
    ...oauthProperties(),
  };
  for (const name of ['sasl_plaintext', 'sasl_ssl']) {
    Object.assign(properties, passwordProperties(`listener.name.${name}`, settings.plainUsers));
  }
  Object.assign(properties, {
    'listener.name.sasl_ssl.ssl.keystore.type': 'PKCS12',
    'listener.name.sasl_ssl.ssl.keystore.location': settings.keystoreFile,
    'listener.name.sasl_ssl.ssl.keystore.password': settings.keystorePassword,
  });
  return { ...properties, ...settings.properties };
}

function passwordProperties(
  prefix: string,
  plainUsers: ReadonlyMap<string, string>,
): Record<string, string> {
  const users = [...plainUsers].map(([name, password]) => {
    if (!/^[\w.-]+$/.test(name)) throw new Error(`Not a name for a PLAIN user: ${name}`);
    return ` user_${name}=${quoted(password)}`;
  });
  return {
    [`${prefix}.sasl.enabled.mechanisms`]: 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    [`${prefix}.plain.sasl.jaas.config`]: `${security}.plain.PlainLoginModule required${users.join('')};`,
    [`${prefix}.scram-sha-256.sasl.jaas.config`]: `${security}.scram.ScramLoginModule required;`,
    [`${prefix}.scram-sha-512.sasl.jaas.config`]: `${security}.scram.ScramLoginModule required;`,
  };
}

/** Without a validator of its own Kafka takes unsigned tokens: for tests only. */
function oauthProperties(): Record<string, string> {
  return {
    'listener.name.oauth.sasl.enabled.mechanisms': 'OAUTHBEARER',
    'listener.name.oauth.oauthbearer.sasl.jaas.config': `${security}.oauthbearer.OAuthBearerLoginModule required;`,
  };
}

/** A value of a JAAS option; the broker reads it with the escapes of a Java string. */
function quoted(password: string): string {
  return `"${password.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** The text of a Java properties file. */
export function propertiesText(properties: Readonly<Record<string, string>>): string {
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${escaped(value)}\n`)
    .join('');
}

/** Such a file is Latin-1, its backslash escapes, and it drops leading blanks. */
function escaped(value: string): string {
  return value
    .replaceAll('\\', '\\\\')
    .replaceAll(
      /[^\x20-\x7e]|^ /g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
}
