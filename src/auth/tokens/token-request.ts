import { formatDurationMs, parseDurationMs } from '../../config/quantity.ts';
import { MillraceError } from '../../core/errors.ts';
import { isObject } from '../../core/json.ts';
import { parseFilter, type PropertyFilter } from '../../decode/property-filter.ts';

/** What the body of `POST /tokens` asks for. */
export interface TokenRequest {
  readonly topics: readonly string[] | null;
  readonly filter: readonly PropertyFilter[];
  readonly expiresInMs: number;
  readonly singleUse: boolean;
}

export interface TokenBounds {
  readonly maxExpiresInMs: number;
}

const byDefaultMs = 15 * 60_000;
const leastMs = 1_000;
const maxTopics = 100;
const maxTopicLength = 249;
/** Most characters of an unknown name that are repeated. */
const maxNameLength = 40;
const names = ['topics', 'filter', 'expiresIn', 'singleUse'];

/** @throws {MillraceError} `BAD_USER_INPUT`, naming the argument */
export function parseTokenRequest(body: unknown, bounds: TokenBounds): TokenRequest {
  if (!isObject(body) || Array.isArray(body)) {
    throw new MillraceError(
      'BAD_USER_INPUT',
      `the body must be an object with ${names.join(', ')}`,
    );
  }
  for (const name of Object.keys(body)) {
    if (names.includes(name)) continue;
    const shown = name.slice(0, maxNameLength);
    throw unusable(shown, `${shown} is not known; known are ${names.join(', ')}`);
  }
  return {
    topics: topicsOf(body['topics']),
    filter: parseFilter(body['filter'], 'filter'),
    expiresInMs: expiresInOf(body['expiresIn'], bounds),
    singleUse: singleUseOf(body['singleUse']),
  };
}

function topicsOf(input: unknown): readonly string[] | null {
  if (input === undefined || input === null) return null;
  if (!isTopics(input)) throw unusable('topics', 'topics must be a list of names of topics');
  if (input.length > maxTopics) {
    throw unusable('topics', `topics may have ${maxTopics} names; leave it out for all topics`);
  }
  return input;
}

function isTopics(input: unknown): input is readonly string[] {
  if (!Array.isArray(input) || input.length === 0) return false;
  return input.every(
    (topic) => typeof topic === 'string' && topic !== '' && topic.length <= maxTopicLength,
  );
}

function expiresInOf(input: unknown, { maxExpiresInMs }: TokenBounds): number {
  if (input === undefined || input === null) return Math.min(byDefaultMs, maxExpiresInMs);
  const durationMs = typeof input === 'string' ? parseDurationMs(input) : null;
  if (durationMs === null) {
    throw unusable(
      'expiresIn',
      'expiresIn must be a duration with its unit, such as 90s, 15m or 2h',
    );
  }
  if (durationMs < leastMs) throw unusable('expiresIn', 'expiresIn must be 1s at least');
  if (durationMs > maxExpiresInMs) {
    throw unusable(
      'expiresIn',
      `expiresIn may be ${formatDurationMs(maxExpiresInMs)} at the most (tokens.maxExpiresIn)`,
    );
  }
  return durationMs;
}

function singleUseOf(input: unknown): boolean {
  if (input === undefined || input === null) return false;
  if (typeof input !== 'boolean') throw unusable('singleUse', 'singleUse must be true or false');
  return input;
}

function unusable(argument: string, message: string): MillraceError {
  return new MillraceError('BAD_USER_INPUT', message, { argument });
}
