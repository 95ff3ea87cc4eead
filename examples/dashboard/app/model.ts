import type { DeadLetter, Event } from 'millrace/client';
import { type Counts, counted, trimmed } from './counts.ts';

export const topics = ['page_views', 'purchases', 'signups'] as const;
export type Topic = (typeof topics)[number];

export interface Purchase {
  readonly amount: number;
  readonly currency: string;
  readonly item: { readonly name: string; readonly quantity: number };
  readonly user: { readonly email: string; readonly country: string };
}

/** What is shown of a purchase. */
export interface Sale extends Purchase {
  readonly id: string;
  readonly at: string;
  readonly late: boolean;
}

export type Refusal = Pick<DeadLetter, 'topic' | 'error' | 'event' | 'source' | 'recordedAt'> & {
  readonly id: string;
};

/** All that the dashboard knows. A value: what happens makes another one of it. */
export interface Model {
  readonly counts: Readonly<Record<Topic, Counts>>;
  readonly refusals: Counts;
  /** Since the dashboard was opened. */
  readonly totals: Readonly<Record<Topic, number>>;
  readonly totalRefusals: number;
  /** The newest first. */
  readonly sales: readonly Sale[];
  readonly deadLetters: readonly Refusal[];
}

const keptSales = 100;
const keptDeadLetters = 50;

export const emptyModel: Model = {
  counts: { purchases: {}, signups: {}, page_views: {} },
  refusals: {},
  totals: { purchases: 0, signups: 0, page_views: 0 },
  totalRefusals: 0,
  sales: [],
  deadLetters: [],
};

export function withEvent(model: Model, topic: Topic, { timestamp }: Event): Model {
  return {
    ...model,
    counts: { ...model.counts, [topic]: counted(model.counts[topic], timestamp) },
    totals: { ...model.totals, [topic]: model.totals[topic] + 1 },
  };
}

export function withPurchase(model: Model, event: Event<Purchase>): Model {
  const { amount, currency, item, user } = event.payload;
  const sale: Sale = {
    id: event.id ?? event.cursor,
    at: event.timestamp,
    late: event.late,
    amount,
    currency,
    item: { name: item.name, quantity: item.quantity },
    user: { email: user.email, country: user.country },
  };
  return {
    ...withEvent(model, 'purchases', event),
    sales: [sale, ...model.sales].slice(0, keptSales),
  };
}

export function withDeadLetter(model: Model, deadLetter: DeadLetter): Model {
  const { topic, error, event, source, partition, offset, recordedAt } = deadLetter;
  const id = `${source} ${topic} ${partition} ${offset}`;
  const refusal = { id, topic, error, event: event.slice(0, 200), source, recordedAt };
  return {
    ...model,
    refusals: counted(model.refusals, recordedAt),
    totalRefusals: model.totalRefusals + 1,
    // They come from several topics, each in its own order.
    deadLetters: [refusal, ...model.deadLetters]
      .toSorted((a, b) => (a.recordedAt > b.recordedAt ? -1 : 1))
      .slice(0, keptDeadLetters),
  };
}

/** Without what nobody is shown any more. */
export function forgotten(model: Model, nowMs: number): Model {
  const { purchases, signups, page_views } = model.counts;
  return {
    ...model,
    counts: {
      purchases: trimmed(purchases, nowMs),
      signups: trimmed(signups, nowMs),
      page_views: trimmed(page_views, nowMs),
    },
    refusals: trimmed(model.refusals, nowMs),
  };
}
