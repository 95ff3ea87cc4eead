import { MillraceError } from '../../core/errors.ts';
import { parseFilter } from '../../decode/property-filter.ts';
import { parseDelivery } from '../../hub/delivery.ts';
import type { DeadLettersRequest, EventsRequest } from '../../hub/requests.ts';
import { eventOrders } from '../../sequence/order.ts';
import { parseInstant } from '../instant.ts';
import { type FeedKind, parametersOf, type parameterTable } from './protocol.ts';

/** What a client asks for by the address of a feed, as it is written there. */
export interface FeedAddress {
  readonly holds: FeedKind;
  /** URL-encoded. */
  readonly topic: string;
  /** Behind the question mark. */
  readonly query: string;
  /** Of a client of SSE that has lost its connection: goes on after it, wherever its query has it begin. */
  readonly lastEventId?: string | undefined;
}

export type FeedRequest =
  | ({ readonly holds: 'events' } & EventsRequest)
  | ({ readonly holds: 'deadLetters' } & DeadLettersRequest);

/**
 * The parameters are the arguments of the GraphQL subscriptions, by the same names, with the same
 * defaults and meanings.
 *
 * @throws {MillraceError} `BAD_USER_INPUT`, naming the parameter
 */
export function parseFeedRequest(address: FeedAddress): FeedRequest {
  const { holds, topic: encoded, query, lastEventId } = address;
  const given = new URLSearchParams(query);
  refuseUnknown(holds, given);
  const topic = decoded(encoded);
  const sinceMs = instant(given, 'since');
  const after = one(given, 'after');
  const start =
    lastEventId === undefined ? { sinceMs, after } : { sinceMs: undefined, after: lastEventId };
  if (holds === 'deadLetters') return { holds, topic, ...start };
  return {
    holds,
    topic,
    order: choice(given, 'order', eventOrders),
    deduplicate: choice(given, 'deduplicate', ['true', 'false']) !== 'false',
    where: parseFilter(json(given, 'where', '[{"property":"amount","operator":"GT","value":100}]')),
    delivery: parseDelivery(json(given, 'delivery', '{"mode":"LATEST","by":"user.id"}')),
    ...start,
  };
}

type Parameter = keyof typeof parameterTable;

/** Most unknown parameters that are named. */
const maxNamed = 3;
/** Most characters of each. */
const maxNameLength = 40;

function refuseUnknown(holds: FeedKind, given: URLSearchParams): void {
  const known = parametersOf(holds);
  const unknown = [...new Set(given.keys())].filter((name) => !known.includes(name));
  const [first] = unknown;
  if (first === undefined) return;
  const named = unknown.slice(0, maxNamed).map((name) => JSON.stringify(shortened(name)));
  throw unusable(
    shortened(first),
    `unknown parameter ${named.join(', ')}; known are ${known.join(', ')}`,
  );
}

function one(given: URLSearchParams, name: Parameter): string | undefined {
  const [value, another] = given.getAll(name);
  if (another !== undefined) throw unusable(name, `${name} is given more than once`);
  return value;
}

function choice<Choice extends string>(
  given: URLSearchParams,
  name: Parameter,
  choices: readonly Choice[],
): Choice | undefined {
  const value = one(given, name);
  if (value === undefined) return undefined;
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  throw unusable(name, `${name} must be one of ${choices.join(', ')}`);
}

/** A `+` before the zone that was not URL-encoded has become a blank. */
const blankZone = /:\d\d(?:\.\d+)? \d\d:?\d\d$/;

function instant(given: URLSearchParams, name: Parameter): number | undefined {
  const value = one(given, name);
  if (value === undefined) return undefined;
  if (blankZone.test(value)) throw unusable(name, `the + in ${name} must be URL-encoded, as %2B`);
  return parseInstant(value, name);
}

function json(given: URLSearchParams, name: Parameter, example: string): unknown {
  const value = one(given, name);
  if (value === undefined) return undefined;
  try {
    return JSON.parse(value);
  } catch (cause) {
    throw unusable(name, `${name} must be JSON, URL-encoded, such as ${example}`, cause);
  }
}

function decoded(topic: string): string {
  try {
    return decodeURIComponent(topic);
  } catch (cause) {
    throw unusable('topic', 'the topic in the path is not URL-encoded UTF-8', cause);
  }
}

function shortened(name: string): string {
  return name.length > maxNameLength ? `${name.slice(0, maxNameLength)}…` : name;
}

function unusable(argument: string, message: string, cause?: unknown): MillraceError {
  return new MillraceError('BAD_USER_INPUT', message, { argument }, { cause });
}
