import type { Operation } from './client/main.ts';

/** Millrace's name for the topic, and Kafka's. */
export const topic = 'fanout';
export const kafkaTopic = `acme.${topic}`;

const fields = 'id timestamp payload';

/** What nearly all subscriptions of the bench ask for. */
export const plain: Operation = {
  query: `subscription { events(topic: "${topic}", order: ARRIVAL) { ${fields} } }`,
  feed: `/feeds/${topic}?order=ARRIVAL`,
};

/** No two alike. */
export function selections(count: number): Operation[] {
  return Array.from({ length: count }, (_, index) => ({
    query: `subscription { events(topic: "${topic}", order: ARRIVAL) { ${fields} of${index}: value(property: "user.id") } }`,
  }));
}

/** One document, each with its own value of `user.id`: `u0`, `u1`, ... */
export function filters(count: number): Operation[] {
  const where = '[{ property: "user.id", operator: EQ, value: $user }]';
  const query = `subscription ($user: JSON) { events(topic: "${topic}", order: ARRIVAL, where: ${where}) { ${fields} } }`;
  return Array.from({ length: count }, (_, index) => ({ query, variables: { user: `u${index}` } }));
}

/** A batch is full with ten events; `maxWaitMs`: how long it may wait for them. */
export function batches(maxWaitMs: number): Operation {
  const args = `topic: "${topic}", order: ARRIVAL, maxEvents: 10, maxWaitMs: ${maxWaitMs}`;
  return { query: `subscription { eventBatches(${args}) { events { ${fields} } } }` };
}
