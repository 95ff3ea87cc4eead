/** The process that writes events to Kafka, at the pace it is told. */
import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs from 'kafkajs';
import { stopIdleTimers } from '../../src/kafka/kafkajs/timer-patch.ts';
import { nowUs } from './clock.ts';
import { eventText } from './event.ts';
import { answerCalls } from './remote.ts';

/** Turns of events, one turn in one request to one partition, so that they come in one answer. */
export interface Volley {
  readonly number: number;
  readonly turns: number;
  readonly turnsPerSecond: number;
  readonly eventsPerTurn: number;
  /** Different values of `user.id`, one event after the other: `u0`, `u1`, ... */
  readonly users: number;
  readonly messageBytes: number;
}

export interface ProducerCalls {
  connect(brokers: string[], topic: string): Promise<void>;
  /** Resolves when Kafka has all of it. */
  send(volley: Volley): Promise<void>;
}

let producer: kafkajs.Producer;
let topic: string;

async function send(volley: Volley): Promise<void> {
  const { turns, turnsPerSecond, eventsPerTurn } = volley;
  const startMs = performance.now();
  for (let turn = 0; turn < turns; turn += 1) {
    // By the plan and not from the turn before, so that a slow acknowledgement does not slow the pace.
    const waitMs = startMs + (turn * 1_000) / turnsPerSecond - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    const sentUs = nowUs();
    const messages = Array.from({ length: eventsPerTurn }, (_, event) => ({
      partition: 0,
      value: valueOf(volley, turn * eventsPerTurn + event, sentUs),
    }));
    // One after the other: with two under way the second might come first.
    await producer.send({ topic, messages, acks: -1 });
  }
}

function valueOf(volley: Volley, index: number, sentUs: number): string {
  const { number, users, messageBytes } = volley;
  return eventText({
    mark: { sentUs, volley: number, n: Math.floor(index / users) },
    id: number.toString(16).padStart(8, '0') + index.toString(16).padStart(16, '0'),
    user: `u${index % users}`,
    messageBytes,
  });
}

answerCalls<ProducerCalls>({
  async connect(brokers, name) {
    stopIdleTimers();
    const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.ERROR });
    topic = name;
    producer = kafka.producer({ allowAutoTopicCreation: false });
    await producer.connect();
  },
  send,
});
