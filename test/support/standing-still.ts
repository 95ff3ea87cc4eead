import { systemClock } from '../../src/core/clock.ts';
import { EmbeddedKafka } from '../../src/kafka/embedded/embedded-kafka.ts';
import type { KafkaDriver } from '../../src/kafka/port.ts';

/** A cluster that takes connections, and that leaves one sort of request without an answer until `goOn`. */
export function standingStill(at: 'login' | 'listTopics'): {
  readonly driver: KafkaDriver;
  readonly goOn: () => void;
} {
  const embedded = new EmbeddedKafka({ clock: systemClock }).driver();
  const { promise: goneOn, resolve: goOn } = Promise.withResolvers<void>();
  const driver: KafkaDriver = {
    name: embedded.name,
    connect(sasl) {
      const client = embedded.connect(sasl);
      const answers = {
        login: client.login.bind(client),
        listTopics: client.listTopics.bind(client),
      };
      return Object.assign(client, {
        [at]: async () => {
          await goneOn;
          return answers[at]();
        },
      });
    },
  };
  return { driver, goOn };
}
