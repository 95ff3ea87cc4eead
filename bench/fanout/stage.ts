import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { stopIdleTimers } from '../../src/kafka/kafkajs/timer-patch.ts';
import { KafkaCluster } from '../../scripts/kafka/cluster.ts';
import type { ClientCalls } from './client/main.ts';
import { kafkaTopic } from './operations.ts';
import type { ProducerCalls, Volley } from './producer.ts';
import { Remote } from './remote.ts';
import type { Source } from './servers/contestant.ts';

/** What is there for all runs: Kafka, the producer and the client, each a process of its own. */
export interface Stage {
  readonly source: Source;
  readonly producer: Remote<ProducerCalls>;
  readonly client: Remote<ClientCalls>;
  readonly clientPid: number;
  /** A number that no other volley has. */
  nextVolley(): number;
  close(): Promise<void>;
}

/** For the compilers of Kafka and the producer. */
const warmUp = {
  number: 0,
  turns: 400,
  turnsPerSecond: 200,
  eventsPerTurn: 10,
  users: 1,
  messageBytes: 440,
} as const satisfies Volley;

export async function openStage(): Promise<Stage> {
  stopIdleTimers();
  const cluster = await KafkaCluster.start({ jvmOptions: ['-Xms512m', '-Xmx1g'] });
  const source = { brokers: cluster.bootstrap('admin'), topic: kafkaTopic };
  const producerProcess = fork(pathOf('producer.ts'));
  const clientProcess = fork(pathOf('client/main.ts'));
  const producer = new Remote<ProducerCalls>(producerProcess);
  const client = new Remote<ClientCalls>(clientProcess);
  const { pid: clientPid } = clientProcess;
  if (clientPid === undefined) throw new Error('the client did not start');
  let volley = 0;
  const close = async (): Promise<void> => {
    for (const child of [producerProcess, clientProcess]) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    await cluster.stop();
  };
  try {
    // All events of a run go to partition 0, so that arrival is one order for all servers.
    await cluster.createTopic(source.topic, { partitions: 9 });
    await producer.call('connect', source.brokers, source.topic);
    await producer.call('send', warmUp);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    source,
    producer,
    client,
    clientPid,
    nextVolley() {
      volley += 1;
      return volley;
    },
    close,
  };
}

function pathOf(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}
