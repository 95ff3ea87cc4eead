import {
  type Client,
  createClient,
  type CursorStorage,
  type Event,
  type FeedState,
} from 'millrace/client';
import { askForToken } from '../../shared/token.ts';
import { type Connection, connectionOf } from './connection.ts';
import {
  emptyModel,
  forgotten,
  type Model,
  type Purchase,
  type Topic,
  topics,
  withDeadLetter,
  withEvent,
  withPurchase,
} from './model.ts';

/** What a reload needs: what is known, and the places in the feeds up to which it is. */
interface Snapshot {
  readonly model: Model;
  readonly cursors: Readonly<Record<string, string>>;
  readonly knownToMs: number | undefined;
}

export interface View {
  readonly model: Model;
  readonly connection: Connection;
  /** Up to when the model has all that happened, in milliseconds since 1970; undefined: it was never connected. */
  readonly knownToMs: number | undefined;
}

const storageKey = 'dashboard';
/** How far back a dashboard begins that is opened for the first time, in milliseconds. */
const historyMs = 31 * 60_000;
/** How often it is saved, and the time seen to pass. */
const saveMs = 1_000;
/** As often as people can follow. */
const showMs = 200;

/**
 * The model, fed by Millrace. It is saved together with the cursors, in one piece: so after a reload the feeds go on
 * exactly where the saved model was, however long ago it was saved.
 */
export class Store {
  #model: Model;
  readonly #cursors: Map<string, string>;
  readonly #states = new Map<string, FeedState>();
  readonly #listeners = new Set<() => void>();
  #view: View;
  #isDue = false;

  constructor() {
    const saved = sessionStorage.getItem(storageKey);
    const { model, cursors, knownToMs }: Snapshot =
      saved === null ? { model: emptyModel, cursors: {}, knownToMs: undefined } : JSON.parse(saved);
    this.#model = model;
    this.#cursors = new Map(Object.entries(cursors));
    this.#view = { model, connection: { name: 'connecting' }, knownToMs };
  }

  readonly watch = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly view = (): View => this.#view;

  open(): void {
    const client = createClient({
      url: document.body.dataset['millrace'] ?? '/',
      token: askForToken,
    });
    for (const topic of topics) {
      if (topic === 'purchases') this.#openPurchases(client);
      else this.#openEvents(client, topic);
      this.#openDeadLetters(client, topic);
    }
    setInterval(() => {
      this.#save();
      this.#show();
    }, saveMs);
    addEventListener('pagehide', () => this.#save());
  }

  #openPurchases(client: Client): void {
    client.events<Purchase>('purchases', this.#place('purchases')).subscribe({
      next: (event) => this.#become(withPurchase(this.#model, event)),
      state: (state) => this.#told('purchases', state),
    });
  }

  #openEvents(client: Client, topic: Topic): void {
    client.events(topic, this.#place(topic)).subscribe({
      next: (event: Event) => this.#become(withEvent(this.#model, topic, event)),
      state: (state) => this.#told(topic, state),
    });
  }

  #openDeadLetters(client: Client, topic: Topic): void {
    const name = `${topic} dead letters`;
    client.deadLetters(topic, this.#place(name)).subscribe({
      next: (deadLetter) => this.#become(withDeadLetter(this.#model, deadLetter)),
      state: (state) => this.#told(name, state),
    });
  }

  /** Where a feed begins, and goes on after a reload. */
  #place(name: string) {
    const storage: CursorStorage = {
      getItem: (key) => this.#cursors.get(key) ?? null,
      setItem: (key, cursor) => void this.#cursors.set(key, cursor),
      removeItem: (key) => void this.#cursors.delete(key),
    };
    const since = new Date(Date.now() - historyMs);
    return { since, storage, storageKey: name, onLoss: 'now' } as const;
  }

  #told(name: string, state: FeedState): void {
    this.#states.set(name, state);
    this.#show();
  }

  #become(model: Model): void {
    this.#model = model;
    this.#show();
  }

  #show(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => {
      this.#isDue = false;
      const connection = connectionOf([...this.#states.values()]);
      const isConnected = connection.name === 'live' || connection.name === 'catching-up';
      const knownToMs = isConnected ? Date.now() : this.#view.knownToMs;
      this.#view = { model: this.#model, connection, knownToMs };
      for (const listener of this.#listeners) listener();
    }, showMs);
  }

  #save(): void {
    this.#model = forgotten(this.#model, Date.now());
    const cursors = Object.fromEntries(this.#cursors);
    const snapshot: Snapshot = { model: this.#model, cursors, knownToMs: this.#view.knownToMs };
    sessionStorage.setItem(storageKey, JSON.stringify(snapshot));
  }
}
