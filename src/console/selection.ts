import type { Operator } from '../client/operators.ts';
import type { Delivery, EventsOptions } from '../client/types.ts';

/** What the page listens to. */
export interface Selection {
  readonly topic: string;
  readonly kind: 'events' | 'deadLetters';
  /** Empty: as the topic is configured. */
  readonly order: '' | Order;
  readonly deduplicate: boolean;
  readonly mode: Delivery['mode'];
  /** With `LATEST`: the newest per value of this property. Empty: the newest of all. */
  readonly by: string;
  readonly everyMs: number;
  readonly where: readonly Condition[];
}

type Order = NonNullable<EventsOptions['order']>;

export interface Condition {
  readonly property: string;
  readonly operator: Operator;
  /** As typed: JSON where it is JSON, else text. */
  readonly value: string;
}

export function selectionOf(topic: string): Selection {
  return {
    topic,
    kind: 'events',
    order: '',
    deduplicate: true,
    mode: 'ALL',
    by: '',
    everyMs: 1_000,
    where: [],
  };
}

/** A selection as the server takes it. */
export interface Arguments {
  readonly order?: Order;
  readonly deduplicate?: boolean;
  readonly where?: readonly Given[];
  readonly delivery?: GivenDelivery;
}

interface Given {
  readonly property: string;
  readonly operator: Operator;
  readonly value: unknown;
}

interface GivenDelivery {
  readonly mode: Selection['mode'];
  readonly by?: string;
  readonly everyMs: number;
}

/** Only what differs from what the server takes by itself. */
export function argumentsOf(selection: Selection): Arguments {
  if (selection.kind === 'deadLetters') return {};
  const { order, deduplicate } = selection;
  const where = conditionsOf(selection);
  const delivery = deliveryOf(selection);
  return {
    ...(order === '' ? {} : { order }),
    ...(deduplicate ? {} : { deduplicate }),
    ...(where.length === 0 ? {} : { where }),
    ...(delivery === undefined ? {} : { delivery }),
  };
}

/** The conditions as the server takes them; those without a property are not filled in yet. */
function conditionsOf({ where }: Selection): Given[] {
  return where
    .filter(({ property }) => property.trim() !== '')
    .map(({ property, operator, value }) => ({
      property: property.trim(),
      operator,
      value: valueOf(value),
    }));
}

function deliveryOf({ mode, by, everyMs }: Selection): GivenDelivery | undefined {
  if (mode === 'ALL') return undefined;
  const property = by.trim();
  return mode === 'LATEST' && property !== '' ? { mode, by: property, everyMs } : { mode, everyMs };
}

function valueOf(typed: string): unknown {
  try {
    return JSON.parse(typed);
  } catch (error) {
    if (error instanceof SyntaxError) return typed;
    throw error;
  }
}
