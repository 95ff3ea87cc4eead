import type { Message } from './message.ts';
import type { Parcel } from './parcel.ts';

/** Where the messages of a subscription go: what a transport has for each. */
export interface Subscriber<Item extends Message> {
  /** By which transport it is reached, for whoever counts. @default none that counts */
  readonly transport?: string;
  /** Bytes that it was given and that its client has not taken. */
  readonly backlogBytes: number;
  /** Takes what is due. Called within the turn of a feed: it neither waits nor throws. */
  deliver(parcel: Parcel<Item>): void;
  /** Calls `taken` once, as soon as the client has taken what there is. */
  whenTaken(taken: () => void): void;
  /** Nothing more comes: the subscription is over, with `error` if there is one. Called once. */
  end(error: Error | undefined): void;
}
