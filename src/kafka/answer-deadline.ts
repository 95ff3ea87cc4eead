import { type KafkaClient, KafkaError } from './port.ts';

/** Most milliseconds that whoever asks the cluster something waits, whatever the brokers do. */
export const longestAnswerMs = 9_000;

/**
 * The client, but what has no answer in time is `UNAVAILABLE`: a broker that stands still takes a while to
 * be told from a slow one, again over a fresh connection, and there may be several. That goes on, so that
 * the next question finds another broker or a new connection.
 */
export function answeringWithin(client: KafkaClient, withinMs = longestAnswerMs): KafkaClient {
  const soon = <T>(answer: Promise<T>): Promise<T> => answerWithin(answer, withinMs);
  return {
    login: () => soon(client.login()),
    clusterId: () => soon(client.clusterId()),
    listTopics: () => soon(client.listTopics()),
    describeTopics: (topics) => soon(client.describeTopics(topics)),
    listOffsets: (topics, at) => soon(client.listOffsets(topics, at)),
    openReader: (options) => client.openReader(options),
    close: () => client.close(),
  };
}

function answerWithin<T>(answer: Promise<T>, withinMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new KafkaError('UNAVAILABLE', `the cluster has not answered within ${withinMs} ms`));
    }, withinMs);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
