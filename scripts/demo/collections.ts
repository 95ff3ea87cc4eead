import type { JsonValue } from '../../src/core/json.ts';
import type { Random } from './random.ts';

/** One kind of product event, and what its events hold beside id, times and sequence number. */
export interface Collection {
  readonly name: string;
  /** Of one project, at a rate of 1. */
  readonly eventsPerSecond: number;
  readonly properties: (random: Random) => Readonly<Record<string, JsonValue>>;
}

const items = [
  { sku: 'TEA-OOLONG', name: 'Oolong, 100 g', price: 18.5 },
  { sku: 'TEA-SENCHA', name: 'Sencha, 100 g', price: 14.9 },
  { sku: 'POT-CAST', name: 'Cast-iron pot', price: 64 },
  { sku: 'CUP-GLASS', name: 'Glass cup', price: 9.2 },
  { sku: 'WHISK', name: 'Bamboo whisk', price: 21.75 },
] as const;
const countries = ['AT', 'BR', 'CA', 'DE', 'FR', 'GB', 'IN', 'JP', 'KE', 'US'] as const;
const currencies = ['EUR', 'GBP', 'JPY', 'USD'] as const;
const plans = ['free', 'team', 'business'] as const;
const referrers = ['search', 'newsletter', 'friend', 'conference', null] as const;
const pages = ['/', '/teas', '/teas/oolong', '/pots', '/basket', '/checkout', '/über-uns'] as const;

export const purchases: Collection = {
  name: 'purchases',
  eventsPerSecond: 5,
  properties(random) {
    const { price, ...item } = random.pick(items);
    const quantity = random.integer(1, 4);
    return {
      user: user(random),
      item: { ...item, quantity },
      amount: Math.round(price * quantity * 100) / 100,
      currency: random.pick(currencies),
    };
  },
};

export const signups: Collection = {
  name: 'signups',
  eventsPerSecond: 1,
  properties: (random) => ({
    user: user(random),
    plan: random.pick(plans),
    referrer: random.pick(referrers),
  }),
};

export const pageViews: Collection = {
  name: 'page_views',
  eventsPerSecond: 20,
  properties: (random) => ({
    user: user(random),
    page: random.pick(pages),
    load_ms: random.integer(40, 900),
  }),
};

export const collections: readonly Collection[] = [purchases, signups, pageViews];

function user(random: Random): Readonly<Record<string, JsonValue>> {
  const id = random.integer(1, 5_000);
  return { id, email: `user${id}@example.com`, country: random.pick(countries) };
}
