import type { Config } from '../../src/config/config.ts';
import type { Environment } from '../../src/config/environment.ts';
import { systemClock } from '../../src/core/clock.ts';
import { EmbeddedKafka } from '../../src/kafka/embedded/embedded-kafka.ts';
import { chooseKafka } from '../kafka/choose.ts';
import { KafkaCluster } from '../kafka/cluster.ts';
import { dockerBroker, startDocker, stopDocker } from '../kafka/docker.ts';
import { cachedLibs, fetchLibs, kafkaVersion } from '../kafka/libs.ts';
import { openKafkaSink } from './kafka-sink.ts';
import { embeddedSink, type RecordSink } from './sink.ts';
import { StartError } from './start-error.ts';

/** The Kafka of this run. */
export interface StartedKafka {
  /** Variables by which the server finds it. */
  readonly settings: Environment;
  /** The log of this process, if it is that. */
  readonly embedded: EmbeddedKafka | null;
  /** Whether it is somebody's own, which the demo only visits. */
  readonly isForeign: boolean;
}

export interface StartKafkaOptions {
  readonly env: Environment;
  /** Shows the text; without a line break at its end the next one goes on there. */
  readonly say: (text: string) => void;
  /** What must be stopped in the end is put here. */
  readonly stack: AsyncDisposableStack;
}

/** Starts what `chooseKafka` chooses, and says which. @throws {StartError | KafkaStartError} */
export async function startKafka({ env, say, stack }: StartKafkaOptions): Promise<StartedKafka> {
  if (env['MILLRACE_KAFKA_CLIENT'] === 'embedded') {
    say('Using the embedded log, which MILLRACE_KAFKA_CLIENT names.\n');
    return embeddedKafka();
  }
  const choice = await chooseKafka({ ...env });
  say(`${choice.sentence}\n`);
  switch (choice.kind) {
    case 'brokers':
      return { settings: {}, embedded: null, isForeign: true };
    case 'embedded':
      return embeddedKafka();
    case 'docker': {
      stack.defer(async () => {
        await stopDocker();
      });
      const started = await startDocker();
      if (!started.ok) throw new StartError(started.reason);
      return ownKafka(dockerBroker);
    }
    case 'java': {
      if (!(await fetchKafka(say))) return embeddedKafka();
      const cluster = await KafkaCluster.start();
      stack.defer(() => cluster.stop());
      return ownKafka(cluster.bootstrap('admin').join(','));
    }
  }
}

/** Where records for this Kafka go. @throws {StartError} */
export async function openSink(kafka: StartedKafka, config: Config): Promise<RecordSink> {
  return kafka.embedded === null ? openKafkaSink(config.kafka) : embeddedSink(kafka.embedded);
}

/** False, having said so: it cannot be had. */
async function fetchKafka(say: (text: string) => void): Promise<boolean> {
  if (cachedLibs() !== null) return true;
  say(`Fetching Apache Kafka ${kafkaVersion()}, about 54 MB, once ... `);
  const startedMs = Date.now();
  const libs = await fetchLibs();
  if (libs.ok) {
    say(`done in ${Math.ceil((Date.now() - startedMs) / 1_000)} s.\n`);
    return true;
  }
  say(`failed.\n${libs.reason}\nUsing the embedded log instead.\n`);
  return false;
}

function embeddedKafka(): StartedKafka {
  return {
    settings: { MILLRACE_KAFKA_CLIENT: 'embedded' },
    embedded: new EmbeddedKafka({ clock: systemClock }),
    isForeign: false,
  };
}

function ownKafka(brokers: string): StartedKafka {
  return { settings: { MILLRACE_KAFKA_BROKERS: brokers }, embedded: null, isForeign: false };
}
