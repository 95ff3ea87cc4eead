import { MillraceError } from '../core/errors.ts';
import { isObject } from '../core/json.ts';
import { pathProblem } from '../decode/path.ts';
import { filterLimits } from '../decode/property-filter.ts';

export const deliveryModes = ['ALL', 'LATEST', 'SAMPLE'] as const;

export type DeliveryMode = (typeof deliveryModes)[number];

/** Of the events that a subscriber wants, how many it gets; docs/delivery.md defines it. */
export type Delivery = { readonly mode: 'ALL' } | Conflated;

/** Some of the events, every so often; each says how many were left out before it. */
export type Conflated =
  /** The newest event of each value of a property. */
  | {
      readonly mode: 'LATEST';
      /** A dotted path, see `parsePath`; `null`: the newest of all. */
      readonly by: string | null;
      readonly everyMs: number;
    }
  /** One event, whichever. */
  | { readonly mode: 'SAMPLE'; readonly everyMs: number };

/** Every event by itself, as it comes. */
export const all: Delivery = { mode: 'ALL' };

/** The least and the most that `everyMs` may be. */
export const everyMsBounds = [10, 60_000] as const;
const defaultEveryMs = 250;

/**
 * Reads what a client asks for: parsed JSON, or the input of the GraphQL argument `delivery`. `null` and
 * `undefined` are `ALL`. What goes for another mode is checked and has no effect, so that a client can
 * change the mode alone.
 *
 * @throws {MillraceError} `BAD_USER_INPUT`, naming `delivery`; the message says what of it is wrong
 */
export function parseDelivery(input: unknown): Delivery {
  if (input === undefined || input === null) return all;
  if (!isObject(input) || Array.isArray(input)) {
    throw unusable('`delivery` must be an object with `mode`, `by` and `everyMs`');
  }
  for (const key of Object.keys(input)) {
    if (key !== 'mode' && key !== 'by' && key !== 'everyMs') {
      throw unusable(
        `\`delivery\` has an unknown key ${quoted(key)}; known are \`mode\`, \`by\`, \`everyMs\``,
      );
    }
  }
  const mode = modeOf(input['mode']);
  const by = byOf(input['by']);
  const everyMs = everyMsOf(input['everyMs']);
  switch (mode) {
    case 'ALL':
      return all;
    case 'LATEST':
      return { mode, by, everyMs };
    case 'SAMPLE':
      return { mode, everyMs };
  }
}

function modeOf(given: unknown): DeliveryMode {
  if (given === undefined) return 'ALL';
  const mode = deliveryModes.find((known) => known === given);
  if (mode !== undefined) return mode;
  throw unusable(`\`delivery.mode\` must be one of ${deliveryModes.join(', ')}`);
}

function byOf(given: unknown): string | null {
  if (given === undefined || given === null) return null;
  if (typeof given !== 'string' || given === '') {
    throw unusable('`delivery.by` must be a dotted path such as `user.id`');
  }
  const most = filterLimits.propertyLength;
  if (given.length > most) {
    throw unusable(`\`delivery.by\` has ${given.length} characters; the limit is ${most}`);
  }
  const problem = pathProblem(given);
  if (problem === undefined) return given;
  throw unusable(`\`delivery.by\` is ${quoted(given)}: ${problem}`);
}

function everyMsOf(given: unknown): number {
  if (given === undefined || given === null) return defaultEveryMs;
  const [least, most] = everyMsBounds;
  if (typeof given === 'number' && Number.isInteger(given) && given >= least && given <= most) {
    return given;
  }
  throw unusable(
    `\`delivery.everyMs\` must be a whole number of milliseconds between ${least} and ${most}`,
  );
}

function quoted(key: string): string {
  return JSON.stringify(key.length > 40 ? `${key.slice(0, 40)}…` : key);
}

function unusable(message: string): MillraceError {
  return new MillraceError('BAD_USER_INPUT', message, { argument: 'delivery' });
}
