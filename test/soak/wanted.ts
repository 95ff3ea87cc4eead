import type { Dice } from '../model/dice.ts';
import type { Ground, SoakTopic } from './ground.ts';

/** What a visitor subscribes to. */
export interface Wanted {
  readonly topic: SoakTopic;
  readonly holds: 'events' | 'eventBatches' | 'deadLetters';
  readonly arguments: Readonly<Record<string, unknown>>;
  /** Under which its cursors are remembered. */
  readonly place: string;
}

const kinds = ['events', 'events', 'events', 'eventBatches', 'deadLetters'] as const;
const orders = ['ARRIVAL', 'TIMESTAMP', 'SEQUENCE'] as const;
const mostAgoMs = 10_000;
const typeOf: Readonly<Record<string, string>> = {
  topic: 'String!',
  order: 'EventOrder',
  deduplicate: 'Boolean',
  where: '[PropertyFilter!]',
  delivery: 'Delivery',
  after: 'Cursor',
  since: 'DateTime',
  maxEvents: 'Int',
  maxWaitMs: 'Int',
};

/** Draws a subscription: no two are likely to want the same. */
export function drawWanted(
  { dice, cursors }: Ground,
  topic: SoakTopic,
  holds: Wanted['holds'] = pick(kinds, dice),
): Wanted {
  const order = pick(orders, dice);
  const deduplicate = !dice.oneIn(4);
  const isOfEvents = holds !== 'deadLetters';
  // What a cursor is good for.
  const stream = isOfEvents ? [order, deduplicate] : [];
  const place = [topic.projectId, topic.name, ...stream].join(' ');
  const ofEvents = isOfEvents ? { order, deduplicate, ...drawChoice(dice) } : {};
  const ofBatches =
    holds === 'eventBatches' ? { maxEvents: 1 + dice.below(50), maxWaitMs: dice.below(200) } : {};
  return {
    topic,
    holds,
    place,
    arguments: { ...ofEvents, ...ofBatches, ...drawStart(dice, cursors.get(place)) },
  };
}

/** As a GraphQL subscription. */
export function asSubscription({ topic, holds, arguments: given }: Wanted, dice: Dice): object {
  const variables: Readonly<Record<string, unknown>> = { topic: topic.name, ...given };
  const names = Object.keys(variables);
  const declared = names.map((name) => `$${name}: ${typeOf[name]}`).join(', ');
  const passed = names.map((name) => `${name}: $${name}`).join(', ');
  // Several documents, but no more than a warm-up sees: the server remembers them, as it should.
  const event = `id cursor ${pick(['a', 'b', 'c'], dice)}: value(property: "user.id") payload`;
  const fields = {
    events: event,
    eventBatches: `cursor watermark events { ${event} }`,
    deadLetters: 'cursor event error',
  } as const;
  const query = `subscription(${declared}) { ${holds}(${passed}) { ${fields[holds]} } }`;
  return { query, variables };
}

/** As the address of a plain feed, which has no batches. */
export function asFeed(url: string, { topic, holds, arguments: given }: Wanted): URL {
  const address = new URL(
    `/feeds/${topic.name}${holds === 'deadLetters' ? '/dead-letters' : ''}`,
    url,
  );
  for (const [name, value] of Object.entries(given)) {
    address.searchParams.set(name, typeof value === 'string' ? value : JSON.stringify(value));
  }
  return address;
}

export function pick<T>(all: readonly T[], dice: Dice): T {
  const one = all[dice.below(all.length)];
  if (one === undefined) throw new Error('nothing to pick from');
  return one;
}

function drawChoice(dice: Dice): Record<string, unknown> {
  const choice: Record<string, unknown> = {};
  if (dice.oneIn(2)) {
    choice['where'] = [{ property: 'amount', operator: 'GTE', value: dice.below(100_000) / 1_000 }];
  }
  if (dice.oneIn(3)) {
    const everyMs = 10 + dice.below(300);
    choice['delivery'] = dice.oneIn(2)
      ? { mode: 'SAMPLE', everyMs }
      : { mode: 'LATEST', by: pick(['user.id', 'currency', 'item.sku'], dice), everyMs };
  }
  return choice;
}

function drawStart(dice: Dice, cursor: string | undefined): Record<string, unknown> {
  if (cursor !== undefined && dice.oneIn(3)) return { after: cursor };
  if (dice.oneIn(6)) return { since: new Date(Date.now() - dice.below(mostAgoMs)).toISOString() };
  return {};
}
