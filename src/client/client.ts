import { addressOf, type FeedOf, type Holds } from './address.ts';
import { type Backoff, backoffDefaults } from './backoff.ts';
import { type Patience, patienceDefaults } from './connection.ts';
import { Credentials, type CredentialsOptions } from './credentials.ts';
import { Feed, type Placed } from './feed.ts';
import { platform, type Surroundings } from './surroundings.ts';
import { refusalOf } from './topic-name.ts';
import type { DeadLetter, Event, EventsOptions, FeedOptions } from './types.ts';

export type ClientOptions = CredentialsOptions & {
  /** Where Millrace is, of HTTP or WebSocket: `https://millrace.example.com`. In a page it may be relative to it. */
  readonly url: string | URL;
  /** How long to wait before connecting again. */
  readonly backoff?: Backoff | undefined;
  /** How long a silent connection is believed in. */
  readonly patience?: Patience | undefined;
  /** Reads messages, for payloads with numbers that `JSON.parse` would round. @default JSON.parse */
  readonly parse?: typeof JSON.parse | undefined;
};

/** The feeds of one Millrace, for one user. */
export class Client {
  readonly #options: ClientOptions;
  readonly #surroundings: Surroundings;
  readonly #patience: Required<Patience>;
  readonly #credentials: Credentials;
  readonly #feeds = new Set<{ close(): void }>();

  constructor(options: ClientOptions, surroundings: Surroundings = platform) {
    this.#options = options;
    this.#surroundings = surroundings;
    this.#patience = { ...patienceDefaults, ...options.patience };
    this.#credentials = new Credentials(options, surroundings, this.#patience.connectMs);
  }

  /** The events of a topic. @throws {TypeError} if `url` is no address, or ends in /graphql or /feeds */
  events<Payload = unknown>(topic: string, options: EventsOptions = {}): Feed<Event<Payload>> {
    return this.#open<Event<Payload>>('events', topic, options, options);
  }

  /** What of a topic could not become an event. @throws {TypeError} if `url` is no address, or ends in /graphql or /feeds */
  deadLetters(topic: string, options: FeedOptions = {}): Feed<DeadLetter> {
    return this.#open<DeadLetter>('deadLetters', topic, options, {});
  }

  /** Closes all feeds. */
  close(): void {
    for (const feed of this.#feeds) feed.close();
  }

  #open<Item extends Placed>(
    holds: Holds,
    topic: string,
    options: FeedOptions,
    feedOf: FeedOf,
  ): Feed<Item> {
    const { url, backoff, parse = JSON.parse } = this.#options;
    const feed = new Feed<Item>(
      {
        address: addressOf(url, holds, topic, feedOf),
        credentials: this.#credentials,
        backoff: { ...backoffDefaults, ...backoff },
        patience: this.#patience,
        parse,
        surroundings: this.#surroundings,
        refusal: refusalOf(topic),
        onClosed: (closed) => this.#feeds.delete(closed),
      },
      options,
    );
    if (feed.state.name !== 'closed') this.#feeds.add(feed);
    return feed;
  }
}

/** @example createClient({ url: 'https://millrace.example.com', token: () => askYourBackend() }) */
export function createClient(options: ClientOptions): Client {
  return new Client(options);
}
