import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaCoordinates, TopicAcl } from './access.ts';
import { KafkaAccess } from './access.ts';
import { BrokerProcess, javaArgs } from './broker-process.ts';
import type { CertificateFiles } from './certificate.ts';
import { certificateFiles, makeCertificate } from './certificate.ts';
import { lastLines, runCommand } from './command.ts';
import { Guard } from './guard.ts';
import { findJava } from './java.ts';
import kafkajs from './kafkajs.ts';
import { fetchLibs } from './libs.ts';
import { freePorts, isFree } from './ports.ts';
import type { NodePorts } from './properties.ts';
import { listeners, nodeProperties, propertiesText } from './properties.ts';
import { KafkaStartError } from './start-error.ts';

/**
 * A tenant: user `id` may READ and DESCRIBE the topics that begin with `<id>.`, and nothing else.
 *
 * Kafka's PLAIN knows one password for each user, so the first key (the master key) is the one that
 * the cluster takes. Further keys are for the server's own list and not known to the cluster.
 */
export interface ClusterProject {
  /** Letters, digits, `_`, `-`, `.`. */
  readonly id: string;
  readonly keys: readonly string[];
}

/** A user whose topics carry no prefix; logs in by PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512. */
export interface ClusterUser {
  /** Letters, digits, `_`, `-`, `.`. */
  readonly name: string;
  readonly password: string;
  readonly acls: readonly TopicAcl[];
}

export interface KafkaClusterOptions {
  /** Every node is broker and controller. @default 1 */
  readonly nodes?: 1 | 3;
  /** @default [] */
  readonly projects?: readonly ClusterProject[];
  /** @default [] */
  readonly users?: readonly ClusterUser[];
  /** Kept, and taken up again if it holds a cluster. @default a temporary folder, removed at the end */
  readonly dataDir?: string;
  /**
   * Node n (from 0) listens on `firstPort` + 10 n (admin), +1 (SASL_PLAINTEXT), +2 (SASL_SSL),
   * +3 (OAUTHBEARER) and +4 (controller). @default free ports
   */
  readonly firstPort?: number;
  /** Milliseconds between the looks for segments to delete. @default Kafka's: 300_000 */
  readonly retentionCheckMs?: number;
  /** After this many milliseconds a client must log in again. @default 0: never */
  readonly maxReauthMs?: number;
  /** Further broker settings, which win. @default {} */
  readonly properties?: Readonly<Record<string, string>>;
  /** @default a small heap and the fastest start; not the fastest broker */
  readonly jvmOptions?: readonly string[];
}

interface ClusterNode {
  readonly nodeId: number;
  readonly propertiesFile: string;
  readonly logFile: string;
  process: BrokerProcess | null;
}

interface Launch {
  readonly java: string;
  readonly libsDir: string;
  readonly jvmOptions: readonly string[];
  readonly coordinates: KafkaCoordinates;
  readonly nodes: readonly ClusterNode[];
  readonly guard: Guard;
  /** Whether the data is thrown away at the end. */
  readonly temporary: boolean;
}

const quickJvm = [
  '-Xms128m',
  '-Xmx512m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Djava.net.preferIPv4Stack=true',
];
const startTimeoutMs = 180_000;

/**
 * A real Kafka on loopback, without Docker: one JVM for each node. Nodes are named by their Kafka
 * id, from 1. None outlives the process that started it, whatever ends that.
 */
export class KafkaCluster extends KafkaAccess {
  readonly #launch: Launch;
  #unref = false;

  private constructor(launch: Launch) {
    super(launch.coordinates);
    this.#launch = launch;
  }

  /**
   * Resolves when every node answers and knows all others, and users and ACLs are in force.
   * Downloads Kafka the first time. @throws {KafkaStartError}
   */
  static async start(options: KafkaClusterOptions = {}): Promise<KafkaCluster> {
    const java = await findJava();
    if (!java.ok) throw new KafkaStartError(java.reason);
    const libs = await fetchLibs();
    if (!libs.ok) throw new KafkaStartError(libs.reason);

    const guard = new Guard();
    try {
      const temporary = options.dataDir === undefined;
      const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'millrace-kafka-'));
      if (temporary) guard.removeAtEnd(dataDir);
      mkdirSync(dataDir, { recursive: true });
      const jvmOptions = options.jvmOptions ?? quickJvm;
      const ports = await nodePorts(options);
      const tls = certificateFiles(dataDir);
      const nodes = writeNodes(options, dataDir, ports, tls);
      const [caPem] = await Promise.all([
        makeCertificate(java.keytool, tls),
        format(java.java, libs.libsDir, nodes, dataDir),
      ]);
      const launch = {
        java: java.java,
        libsDir: libs.libsDir,
        jvmOptions,
        nodes,
        guard,
        temporary,
      };
      const coordinates = { brokers: brokerAddresses(ports), caPem };
      const cluster = new KafkaCluster({ ...launch, coordinates });
      await Promise.all(nodes.map(({ nodeId }) => cluster.startNode(nodeId)));
      await cluster.#admit(options);
      return cluster;
    } catch (error) {
      await guard.release();
      throw error;
    }
  }

  get nodeIds(): number[] {
    return this.#launch.nodes.map(({ nodeId }) => nodeId);
  }

  /** SIGKILL: the others learn of it when its session expires (5 s). */
  async killNode(nodeId: number): Promise<void> {
    await this.#end(nodeId, 'SIGKILL');
  }

  /** SIGTERM: it hands its partitions over first. */
  async stopNode(nodeId: number): Promise<void> {
    await this.#end(nodeId, 'SIGTERM');
  }

  /** On the same ports and data as before. Resolves when the node serves. @throws {KafkaStartError} */
  async startNode(nodeId: number): Promise<void> {
    const node = this.#node(nodeId);
    if (node.process?.running === true) return;
    const { java, libsDir, jvmOptions, guard } = this.#launch;
    const { propertiesFile, logFile } = node;
    node.process = new BrokerProcess({ java, libsDir, jvmOptions, propertiesFile, logFile }, guard);
    if (this.#unref) node.process.unref();
    await this.#untilServing(nodeId, node.process);
  }

  /** SIGSTOP: connections stay open and silent. Resolves when the node says nothing more. */
  async pauseNode(nodeId: number): Promise<void> {
    await this.#node(nodeId).process?.pause();
  }

  resumeNode(nodeId: number): void {
    this.#node(nodeId).process?.resume();
  }

  /** Lets the event loop end while the cluster runs; the cluster then ends with this process. */
  unref(): void {
    this.#unref = true;
    this.#launch.guard.unref();
    for (const { process } of this.#launch.nodes) process?.unref();
  }

  /** Resolves when none of the nodes that run now is left, whoever ended them, with why as the first one's log has it. */
  async untilAllEnded(): Promise<string> {
    const processes = this.#launch.nodes.flatMap(({ process }) => process ?? []);
    await Promise.all(processes.map(({ ended }) => ended));
    return `Kafka has ended. ${processes[0]?.explain() ?? ''}`;
  }

  /** Resolves when no node runs and temporary data is gone. Idempotent. */
  async stop(): Promise<void> {
    const { nodes, temporary, guard } = this.#launch;
    // What is thrown away need not be closed in order.
    const signal = temporary ? 'SIGKILL' : 'SIGTERM';
    await Promise.all(nodes.map(async ({ process }) => process?.end(signal, 10_000)));
    await guard.release();
  }

  async #end(nodeId: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const node = this.#node(nodeId);
    await node.process?.end(signal, 30_000);
    node.process = null;
  }

  #node(nodeId: number): ClusterNode {
    const node = this.#launch.nodes[nodeId - 1];
    if (node === undefined) throw new RangeError(`No node ${nodeId}: ids begin at 1.`);
    return node;
  }

  /** Asks the node itself, not the port: a port accepts long before the broker knows its topics. */
  async #untilServing(nodeId: number, process: BrokerProcess): Promise<void> {
    const broker = this.bootstrap('admin')[nodeId - 1] ?? '';
    const deadline = Date.now() + startTimeoutMs;
    while (process.running && Date.now() < deadline) {
      if (await serves(broker, nodeId, this.#awaited())) return;
      await Promise.race([sleep(50), process.ended]);
    }
    const what = process.running ? 'does not answer' : 'ended';
    throw new KafkaStartError(`Kafka node ${nodeId} ${what}. ${process.explain()}`);
  }

  /** The nodes that should be there: a cluster that comes up waits for all of them. */
  #awaited(): number[] {
    return this.#launch.nodes
      .filter(({ process }) => process?.running === true)
      .map(({ nodeId }) => nodeId);
  }

  async #admit(options: KafkaClusterOptions): Promise<void> {
    const { projects = [], users = [] } = options;
    for (const { id } of projects) await this.setAcl(id, { pattern: 'prefixed', topic: `${id}.` });
    for (const { name, password, acls } of users) {
      await this.addScramUser(name, password);
      for (const acl of acls) await this.setAcl(name, acl);
    }
  }
}

async function nodePorts({ nodes = 1, firstPort }: KafkaClusterOptions): Promise<NodePorts[]> {
  const perNode = listeners.length + 1;
  const free = firstPort === undefined ? await freePorts(nodes * perNode) : null;
  const ports = Array.from({ length: nodes }, (_, node) => {
    const port = (at: number) => free?.[node * perNode + at] ?? (firstPort ?? 0) + node * 10 + at;
    return {
      admin: port(0),
      saslPlaintext: port(1),
      saslSsl: port(2),
      oauth: port(3),
      controller: port(4),
    };
  });
  // Else a Kafka that is there already would answer in the place of this one.
  for (const port of ports.flatMap((node) => Object.values<number>(node))) {
    if (await isFree(port)) continue;
    throw new KafkaStartError(`Port ${port} of 127.0.0.1 is in use; choose another first port.`);
  }
  return ports;
}

function brokerAddresses(ports: readonly NodePorts[]): KafkaCoordinates['brokers'] {
  const of = (listener: (typeof listeners)[number]) =>
    ports.map((node) => `127.0.0.1:${node[listener]}`);
  return {
    admin: of('admin'),
    saslPlaintext: of('saslPlaintext'),
    // The certificate names both; a client that verifies names wants one that is no address.
    saslSsl: ports.map((node) => `localhost:${node.saslSsl}`),
    oauth: of('oauth'),
  };
}

function writeNodes(
  options: KafkaClusterOptions,
  dataDir: string,
  ports: readonly NodePorts[],
  tls: CertificateFiles,
): ClusterNode[] {
  const plainUsers = new Map<string, string>();
  for (const { id, keys } of options.projects ?? []) {
    const [master] = keys;
    if (master !== undefined) plainUsers.set(id, master);
  }
  for (const { name, password } of options.users ?? []) plainUsers.set(name, password);
  const properties: Record<string, string> = {
    // A killed node may come back only when its session is over; Kafka's 9 s are long for a test.
    'broker.session.timeout.ms': '5000',
    'broker.heartbeat.interval.ms': '500',
    'connections.max.reauth.ms': String(options.maxReauthMs ?? 0),
  };
  if (options.retentionCheckMs !== undefined) {
    properties['log.retention.check.interval.ms'] = String(options.retentionCheckMs);
    properties['log.initial.task.delay.ms'] = String(options.retentionCheckMs);
  }
  Object.assign(properties, options.properties);
  return ports.map((_, index) => {
    const nodeId = index + 1;
    const propertiesFile = join(dataDir, `node-${nodeId}.properties`);
    const settings = {
      nodeId,
      ports,
      logDir: join(dataDir, `node-${nodeId}`),
      keystoreFile: tls.keystoreFile,
      keystorePassword: tls.password,
      plainUsers,
      properties,
    };
    writeFileSync(propertiesFile, propertiesText(nodeProperties(settings)), { mode: 0o600 });
    return { nodeId, propertiesFile, logFile: join(dataDir, `node-${nodeId}.log`), process: null };
  });
}

/** Gives every new node its place in a new cluster, with Kafka's own tool. */
async function format(
  java: string,
  libsDir: string,
  nodes: readonly ClusterNode[],
  dataDir: string,
): Promise<void> {
  const fresh = nodes.filter(
    ({ nodeId }) => !existsSync(join(dataDir, `node-${nodeId}`, 'meta.properties')),
  );
  // A leading dash would be taken for an option.
  const clusterId = `m${randomBytes(16).toString('base64url').slice(1)}`;
  await Promise.all(
    fresh.map(async ({ propertiesFile }) => {
      const args = ['format', '--cluster-id', clusterId, '--config', propertiesFile];
      const result = await runCommand(
        java,
        javaArgs(libsDir, quickJvm, 'kafka.tools.StorageTool', args),
        { timeoutMs: startTimeoutMs },
      );
      if (result.outcome !== 'ended' || result.exitCode !== 0) {
        const detail = result.outcome === 'ended' ? lastLines(result.output, 10) : result.outcome;
        throw new KafkaStartError(`Kafka's storage tool failed: ${detail}`);
      }
    }),
  );
}

/** Whether the node answers and sees itself and the others in the cluster. */
async function serves(
  broker: string,
  nodeId: number,
  awaited: readonly number[],
): Promise<boolean> {
  const admin = new kafkajs.Kafka({
    brokers: [broker],
    logLevel: kafkajs.logLevel.NOTHING,
    connectionTimeout: 1_000,
    requestTimeout: 2_000,
    retry: { retries: 0 },
  }).admin();
  try {
    await admin.connect();
    const { brokers, controller } = await admin.describeCluster();
    const seen = new Set(brokers.map((known) => known.nodeId));
    return controller !== null && seen.has(nodeId) && awaited.every((id) => seen.has(id));
  } catch (error) {
    if (error instanceof Error && error.name.startsWith('KafkaJS')) return false;
    throw error;
  } finally {
    await admin.disconnect();
  }
}
