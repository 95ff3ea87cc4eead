import { kafkaTopic } from '../../src/decode/topic-name.ts';
import type { Topic } from '../conformance/transports/stage.ts';
import { deliveryTests } from '../conformance/transports.ts';
import { HeldClock } from '../support/held-clock.ts';
import { openProducer, sharedCluster, uniqueTopic } from '../support/kafka.ts';
import { haveRead, runServer } from '../support/server.ts';
import { serviceConfig } from './acceptance/real-server.ts';

/** On a real Kafka: every test with a server and topics of its own. */
deliveryTests(async (t, settings) => {
  const kafka = await sharedCluster();
  const config = serviceConfig(kafka, 'kafkajs', settings);
  const clock = new HeldClock();
  const server = await runServer(t, config, { clock });
  const producer = await openProducer(t, kafka);
  const create = async (topic: Topic): Promise<Topic> => {
    await kafka.createTopic(topic.kafkaTopic, { partitions: 3 });
    t.after(() => kafka.deleteTopic(topic.kafkaTopic));
    return topic;
  };
  return {
    server,
    clock,
    createTopic(projectId, name) {
      const topic = uniqueTopic(name);
      const { topicTemplate } = config.kafka;
      return create({ name: topic, kafkaTopic: kafkaTopic(topicTemplate, { projectId, topic }) });
    },
    createDeadLetterTopic: ({ name, kafkaTopic }) =>
      create({ name: `${name}-dlq`, kafkaTopic: `${kafkaTopic}-dlq` }),
    record: ({ kafkaTopic }, records) =>
      clock.during(async () => {
        await producer.send(kafkaTopic, records);
        await haveRead(server, kafkaTopic, await kafka.offsets(kafkaTopic));
      }),
  };
});
