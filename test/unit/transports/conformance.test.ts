import { systemClock } from '../../../src/core/clock.ts';
import { kafkaTopic } from '../../../src/decode/topic-name.ts';
import { EmbeddedKafka } from '../../../src/kafka/embedded/embedded-kafka.ts';
import type { Topic } from '../../conformance/transports/stage.ts';
import { transportTests } from '../../conformance/transports.ts';
import { HeldClock } from '../../support/held-clock.ts';
import { runServer, testConfig } from '../../support/server.ts';

/** On the log within the process: every scenario with a log and a server of its own. */
transportTests(async (t, settings) => {
  const clock = new HeldClock();
  // Its waits go on while the server's time stands still.
  const kafka = new EmbeddedKafka({ clock: systemClock });
  const config = testConfig(settings);
  const server = await runServer(t, config, { driver: kafka.driver(), clock });
  const create = (topic: Topic): Topic => {
    kafka.createTopic(topic.kafkaTopic, 3);
    return topic;
  };
  return {
    server,
    clock,
    async createTopic(projectId, name) {
      const { topicTemplate } = config.kafka;
      return create({ name, kafkaTopic: kafkaTopic(topicTemplate, { projectId, topic: name }) });
    },
    async createDeadLetterTopic({ name, kafkaTopic }) {
      return create({ name: `${name}-dlq`, kafkaTopic: `${kafkaTopic}-dlq` });
    },
    async record({ kafkaTopic }, records) {
      for (const record of records) kafka.append(kafkaTopic, record);
    },
  };
});
