import type { Login } from '../support/graphql-client.ts';
import type { Dice } from '../model/dice.ts';
import type { EventOrder } from '../../src/sequence/order.ts';
import type { ChaosTopic, GotEvent, Tape } from './event.ts';
import { type Link, openEventStream, openWebSocket } from './link.ts';

export type Transport = 'graphql-ws' | 'graphql-sse';
export type Field = 'events' | 'eventBatches';

/**
 * How a subscriber comes back. `cursor` is what is tested; the others are controls: one that says where it
 * was by time only, and one that says nothing.
 */
export type ComingBack = 'cursor' | 'since its last event' | 'without a word';

export interface SubscriberOptions {
  readonly topic: ChaosTopic;
  readonly login: Login;
  readonly transport: Transport;
  readonly field: Field;
  readonly order: EventOrder;
  readonly comingBack: ComingBack;
  readonly urls: readonly string[];
  readonly sinceMs: number;
  readonly onEvent?: () => void;
  readonly dice: Dice;
}

const selection = 'id timestamp sequence late partition offset';
const queries: Readonly<Record<Field, string>> = {
  events: `events(topic: $topic, order: $order, after: $after, since: $since) { ${selection} cursor payload }`,
  eventBatches: `eventBatches(topic: $topic, order: $order, after: $after, since: $since, maxWaitMs: 80) { events { ${selection} payload } cursor }`,
};
/** Between losing a connection and asking for another one, in milliseconds. */
const maxPauseMs = 300;

/** A client that always comes back, to any server. */
export class Subscriber implements Tape {
  readonly name: string;
  readonly topic: ChaosTopic;
  readonly order: EventOrder;
  readonly got: GotEvent[] = [];
  readonly ids = new Set<string>();
  /** Errors that it was told, each by its code. */
  readonly errors: string[] = [];
  /** How its connections ended, and how often each way. */
  readonly ends = new Map<string, number>();
  connections = 0;
  resumes = 0;
  lastMs = Date.now();
  readonly #options: SubscriberOptions;
  #link: Link | undefined;
  #cursor: string | undefined;
  #isStopped = false;
  #pause: NodeJS.Timeout | undefined;

  constructor(options: SubscriberOptions) {
    const { topic, order, transport, field, comingBack } = options;
    this.#options = options;
    this.topic = topic;
    this.order = order;
    this.name = `${topic.kafkaTopic} ${transport} ${field} ${order} by ${comingBack}`;
  }

  start(): void {
    this.#connect();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#pause);
    this.#link?.cut();
  }

  cut(): void {
    this.#link?.cut();
  }

  /** Takes nothing for a while. */
  stall(forMs: number): void {
    const link = this.#link;
    link?.pause();
    setTimeout(() => link?.resume(), forMs);
  }

  #connect(): void {
    if (this.#isStopped) return;
    const { urls, dice, login, field, transport } = this.#options;
    this.connections += 1;
    if (this.#cursor !== undefined) this.resumes += 1;
    const open = transport === 'graphql-ws' ? openWebSocket : openEventStream;
    this.#link = open({
      url: urls[dice.below(urls.length)] ?? '',
      login,
      query:
        'subscription($topic: String!, $order: EventOrder, $after: Cursor, $since: DateTime) ' +
        `{ ${queries[field]} }`,
      variables: this.#variables(),
      onResult: (result) => this.#take(Object(result)),
      onClose: (how) => {
        this.ends.set(how, (this.ends.get(how) ?? 0) + 1);
        this.#pause = setTimeout(() => this.#connect(), dice.below(maxPauseMs));
      },
    });
  }

  #variables(): Record<string, unknown> {
    const { topic, order, comingBack, sinceMs } = this.#options;
    const same = { topic: topic.name, order };
    const last = this.got.at(-1);
    if (last === undefined) return { ...same, since: new Date(sinceMs).toISOString() };
    switch (comingBack) {
      case 'cursor':
        return { ...same, after: this.#cursor };
      case 'since its last event':
        return { ...same, since: new Date(last.timestampMs).toISOString() };
      case 'without a word':
        return same;
    }
  }

  #take(result: { data?: object | null; errors?: readonly object[] }): void {
    for (const error of result.errors ?? []) {
      this.errors.push(String(Object(Object(error)['extensions'])['code']));
    }
    const message = Object(result.data ?? {})[this.#options.field];
    if (message === undefined || message === null) return;
    const events: readonly object[] = message['events'] ?? [message];
    for (const event of events) this.#put(event);
    this.#cursor = message['cursor'];
  }

  #put(event: object): void {
    const { id, late, timestamp, sequence, partition, offset } = Object(event);
    this.lastMs = Date.now();
    this.#options.onEvent?.();
    this.ids.add(id);
    this.got.push({
      id,
      late,
      timestampMs: Date.parse(timestamp),
      sequence: Number(sequence),
      partition,
      offset: Number(offset),
      connection: this.connections,
    });
  }
}
