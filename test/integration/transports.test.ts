import { kafkaTopic } from '../../src/decode/topic-name.ts';
import type { Topic } from '../conformance/transports/stage.ts';
import { deliveryTests } from '../conformance/transports.ts';
import { openProducer, sharedCluster, uniqueTopic } from '../support/kafka.ts';
import { runServer } from '../support/server.ts';
import { serviceConfig } from './acceptance/real-server.ts';

/** On a real Kafka: every test with a server and topics of its own. */
deliveryTests(async (t, settings) => {
  const kafka = await sharedCluster();
  const config = serviceConfig(kafka, 'kafkajs', {
    // Records of different partitions may come in different answers, on a busy machine late.
    MILLRACE_TOPICS_DEFAULTS_LATENESS: '500ms',
    ...settings,
  });
  const server = await runServer(t, config);
  const producer = await openProducer(t, kafka);
  const create = async (topic: Topic): Promise<Topic> => {
    await kafka.createTopic(topic.kafkaTopic, { partitions: 3 });
    t.after(() => kafka.deleteTopic(topic.kafkaTopic));
    return topic;
  };
  return {
    server,
    createTopic(projectId, name) {
      const topic = uniqueTopic(name);
      const { topicTemplate } = config.kafka;
      return create({ name: topic, kafkaTopic: kafkaTopic(topicTemplate, { projectId, topic }) });
    },
    createDeadLetterTopic: ({ name, kafkaTopic }) =>
      create({ name: `${name}-dlq`, kafkaTopic: `${kafkaTopic}-dlq` }),
    async record(topic, records) {
      await producer.send(topic.kafkaTopic, records);
    },
  };
});
