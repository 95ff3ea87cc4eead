import {
  type Client,
  createClient,
  type DeadLetter,
  type Event,
  type EventsOptions,
  FeedError,
  type FeedState,
} from '../client/index.ts';
import { parseExactly } from './exact-json.ts';
import { leavesOf } from './leaves.ts';
import type { Shown } from './messages.ts';
import { argumentsOf, type Selection } from './selection.ts';
import { Refusal, type TokenSource } from './session.ts';

/** How the feed is doing. */
export interface Connection {
  readonly state: FeedState['name'];
  /** Why it is closed, if not by the page, or waits. */
  readonly code?: string;
  readonly reason?: string;
  /** When it connects again, in milliseconds since 1970. */
  readonly untilMs?: number | undefined;
}

export interface FeedEvents {
  readonly onMessage: (message: Shown) => void;
  readonly onConnection: (connection: Connection) => void;
}

/** What is selected, as it comes. */
export class Feed {
  readonly #selection: Selection;
  readonly #client: Client;
  readonly #events: FeedEvents;

  constructor(selection: Selection, tokens: TokenSource, events: FeedEvents) {
    this.#selection = selection;
    let given: string | undefined;
    this.#client = createClient({
      url: location.origin,
      parse: parseExactly,
      // Asked again, it is because the one before has ended or was refused.
      token: async () => (given = await tokenOf(tokens, given)),
    });
    this.#events = events;
  }

  open(): void {
    const { topic, kind } = this.#selection;
    const { onMessage, onConnection } = this.#events;
    const state = (state: FeedState): void => onConnection(connectionOf(state));
    if (kind === 'deadLetters') {
      const next = (deadLetter: DeadLetter): void => onMessage(shownDeadLetter(deadLetter));
      this.#client.deadLetters(topic).subscribe({ next, state });
      return;
    }
    const options: EventsOptions = argumentsOf(this.#selection);
    const next = (event: Event): void => onMessage(shownEvent(event));
    this.#client.events(topic, options).subscribe({ next, state });
  }

  close(): void {
    this.#client.close();
  }
}

/** What the server refuses for good must end the feed; anything else is tried again. */
async function tokenOf(tokens: TokenSource, refused: string | undefined): Promise<string> {
  try {
    return await tokens.token(refused);
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== 'UNAUTHENTICATED') throw error;
    throw new FeedError('UNAUTHENTICATED', error.message, { closeCode: 4403 });
  }
}

function connectionOf(state: FeedState): Connection {
  const { name } = state;
  if (name === 'waiting') {
    const { reason, untilMs } = state;
    return { state: name, code: reason.code, reason: reason.message, untilMs };
  }
  if (name !== 'closed' || state.code === 'DONE') return { state: name };
  return { state: name, code: state.code, reason: state.error.message };
}

function shownEvent(event: Event): Shown {
  const { id, timestamp, sequence, late, omitted, payload } = event;
  const { partition, offset, recordedAt, cursor } = event;
  return {
    place: `${partition}·${offset}`,
    timestamp,
    title: id ?? '—',
    hint: id ?? 'The event has no id',
    late,
    omitted,
    cursor,
    error: undefined,
    leaves: () => leavesOf(payload, event),
    detail: () => JSON.stringify(payload, null, 2),
    facts: [
      ['timestamp', timestamp],
      ['recorded', recordedAt],
      ...(sequence === null ? [] : [['sequence', sequence] as const]),
      ['partition', String(partition)],
      ['offset', offset],
    ],
  };
}

function shownDeadLetter(deadLetter: DeadLetter): Shown {
  const { source, topic, recordedAt, error, event, partition, offset, cursor } = deadLetter;
  return {
    // The two sources are different topics of Kafka.
    place: `${source === 'UPSTREAM' ? 'dlq ' : ''}${partition}·${offset}`,
    timestamp: recordedAt,
    title: source,
    hint: sourceHints[source],
    late: false,
    omitted: 0,
    cursor,
    error,
    leaves: () => [{ path: '', text: event.slice(0, maxEventText) }],
    detail: () => event,
    facts: [
      ['topic', topic],
      ['recorded', recordedAt],
      ['partition', String(partition)],
      ['offset', offset],
    ],
  };
}

const sourceHints: Readonly<Record<DeadLetter['source'], string>> = {
  UPSTREAM: 'From the dead-letter topic',
  BRIDGE: 'A record of the topic itself, which could not be decoded',
};

/** Most characters of what could not become an event that a line may need. */
const maxEventText = 300;
