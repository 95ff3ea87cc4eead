import type { PropertyFilter } from '../../src/decode/property-filter.ts';
import { Message } from '../../src/hub/message.ts';
import type { Parcel } from '../../src/hub/parcel.ts';
import type { Subscriber } from '../../src/hub/subscriber.ts';
import { Subscription } from '../../src/hub/subscription.ts';
import { Where } from '../../src/hub/where.ts';
import { nowhere } from './parcels.ts';

/** A message that is nothing but its number. */
export class Numbered extends Message {
  readonly size = 1;
  readonly number: number;

  constructor(number: number) {
    super(nowhere.position, nowhere.encode);
    this.number = number;
  }
}

/** What somebody asks for who may see everything. */
export function whereOf(conditions: readonly PropertyFilter[] = []): Where {
  return Where.of({ filter: [] }, conditions);
}

/** What a subscription brought to a subscriber who takes everything at once. */
export interface Listening<Item extends Message> {
  readonly subscription: Subscription<Item>;
  readonly parcels: Parcel<Item>[];
  /** All items of the parcels. */
  readonly items: Item[];
  readonly ends: (Error | undefined)[];
}

/**
 * A subscription with a subscriber that is attached from the beginning.
 *
 * @param onEnd takes it out of where it was added
 * @param onDelivery called with each parcel, within the turn of whoever delivers it
 */
export function listening<Item extends Message>(
  onEnd: (subscription: Subscription<Item>) => void = () => undefined,
  onDelivery: (parcel: Parcel<Item>) => void = () => undefined,
): Listening<Item> {
  const parcels: Parcel<Item>[] = [];
  const items: Item[] = [];
  const ends: (Error | undefined)[] = [];
  const subscription: Subscription<Item> = new Subscription<Item>({
    maxQueuedBytes: 1_000,
    onEnd: () => onEnd(subscription),
    onBehind: () => undefined,
  });
  const subscriber: Subscriber<Item> = {
    backlogBytes: 0,
    deliver(parcel) {
      parcels.push(parcel);
      items.push(...parcel.items);
      onDelivery(parcel);
    },
    whenTaken: (taken) => taken(),
    end: (error) => ends.push(error),
  };
  subscription.attach(subscriber);
  return { subscription, parcels, items, ends };
}
