import { MillraceError } from '../core/errors.ts';
import { isObject, type JsonValue } from '../core/json.ts';
import { pathProblem, valueAt } from './path.ts';

/** The operators of a filter; docs/filters.md defines them. */
export const filterOperators = [
  'EQ',
  'NE',
  'GT',
  'GTE',
  'LT',
  'LTE',
  'IN',
  'EXISTS',
  'CONTAINS',
  'STARTS_WITH',
] as const;

export type FilterOperator = (typeof filterOperators)[number];

/** One condition on an event's payload, as `parseFilter` lets it pass. */
export interface PropertyFilter {
  /** A dotted path, see `parsePath`. */
  readonly property: string;
  readonly operator: FilterOperator;
  /** Absent only with `EXISTS`, where it means `true`. */
  readonly value?: JsonValue;
}

/** Every event is held against every condition of every subscriber: what one of them may cost. */
export const filterLimits = {
  conditions: 32,
  propertyLength: 256,
  textLength: 4_096,
  /** Objects, arrays and scalars within one value: also the entries of a list for `IN`. */
  valueParts: 1_000,
  valueDepth: 32,
} as const;

/**
 * Reads conditions that came from outside: parsed JSON, or the input of a GraphQL argument. `null`
 * and `undefined` are no conditions; a condition without `operator` is one of `EQ`.
 *
 * @throws {MillraceError} `BAD_USER_INPUT`, naming `argument`; the message names the condition and
 * says what it needs.
 */
export function parseFilter(input: unknown, argument = 'where'): readonly PropertyFilter[] {
  if (input === undefined || input === null) return [];
  if (!Array.isArray(input)) {
    throw unusable(argument, `\`${argument}\` must be a list of conditions.`);
  }
  if (input.length > filterLimits.conditions) {
    throw unusable(
      argument,
      `\`${argument}\` has ${input.length} conditions; the limit is ${filterLimits.conditions}.`,
    );
  }
  return Array.from(input, (condition: unknown, index) => {
    const problem = (text: string): MillraceError =>
      unusable(argument, `\`${argument}[${index}]\` ${text}.`);
    return parseCondition(condition, problem);
  });
}

/** Makes the error for one condition of what it must or may not be. */
type Problem = (text: string) => MillraceError;

function parseCondition(input: unknown, problem: Problem): PropertyFilter {
  if (!isObject(input)) throw problem('must be an object with `property`, `operator` and `value`');
  for (const key of Object.keys(input)) {
    if (key !== 'property' && key !== 'operator' && key !== 'value') {
      throw problem(
        `has an unknown key ${quoted(key)}; known are \`property\`, \`operator\`, \`value\``,
      );
    }
  }
  const property = valueAt(input, ['property']);
  if (typeof property !== 'string' || property === '') {
    throw problem('needs a `property`: a dotted path such as `user.id`');
  }
  if (property.length > filterLimits.propertyLength) {
    throw problem(
      `has a \`property\` of ${property.length} characters; the limit is ${filterLimits.propertyLength}`,
    );
  }
  const pathIsWrong = pathProblem(property);
  if (pathIsWrong !== undefined)
    throw problem(`has the \`property\` ${quoted(property)}: ${pathIsWrong}`);
  const name = valueAt(input, ['operator']) ?? 'EQ';
  const operator = filterOperators.find((known) => known === name);
  if (operator === undefined) {
    throw problem(`has an unknown \`operator\`; known are ${filterOperators.join(', ')}`);
  }
  const value = valueAt(input, ['value']);
  if (value === undefined) {
    if (operator !== 'EXISTS') throw problem(`needs a \`value\` for ${operator}`);
    return { property, operator };
  }
  checkParts(value, problem);
  checkOperand(operator, value, problem);
  return { property, operator, value };
}

/** What each operator takes as its value, as docs/filters.md says. */
function checkOperand(operator: FilterOperator, value: JsonValue, problem: Problem): void {
  switch (operator) {
    case 'EQ':
    case 'NE':
    case 'CONTAINS':
      return;
    case 'GT':
    case 'GTE':
    case 'LT':
    case 'LTE':
      if (typeof value === 'number' || typeof value === 'string') return;
      throw problem(`needs a number or a string as \`value\` for ${operator}`);
    case 'STARTS_WITH':
      if (typeof value === 'string') return;
      throw problem('needs a string as `value` for STARTS_WITH');
    case 'EXISTS':
      if (typeof value === 'boolean') return;
      throw problem('needs true or false as `value` for EXISTS');
    case 'IN':
      if (!Array.isArray(value) || value.length === 0) {
        throw problem('needs a list of one or more values for IN');
      }
      if (value.some((entry) => typeof entry === 'object' && entry !== null)) {
        throw problem('may list strings, numbers, true, false and null only for IN');
      }
  }
}

/** Holds a value to be JSON, within the limits, and to compare exactly. */
function checkParts(root: unknown, problem: Problem): asserts root is JsonValue {
  // The value as a whole is none of its parts.
  let parts = -1;
  const visit = (value: unknown, depth: number): void => {
    parts += 1;
    if (parts > filterLimits.valueParts) {
      throw problem(`has a \`value\` of more than ${filterLimits.valueParts} parts, the limit`);
    }
    if (depth > filterLimits.valueDepth) {
      throw problem(
        `has a \`value\` nested deeper than ${filterLimits.valueDepth} levels, the limit`,
      );
    }
    if (typeof value === 'string') return checkText(value, problem);
    if (typeof value === 'number' || typeof value === 'bigint') return checkNumber(value, problem);
    if (value === null || typeof value === 'boolean') return;
    if (Array.isArray(value)) {
      for (const entry of value) visit(entry, depth + 1);
    } else if (isObject(value)) {
      for (const [key, member] of Object.entries(value)) {
        checkText(key, problem);
        visit(member, depth + 1);
      }
    } else {
      throw problem('needs a JSON value as `value`');
    }
  };
  visit(root, 0);
}

function checkText(text: string, problem: Problem): void {
  if (text.length > filterLimits.textLength) {
    throw problem(
      `has a text of ${text.length} characters in its \`value\`; the limit is ${filterLimits.textLength}`,
    );
  }
}

/**
 * Payloads are compared as doubles. With a safe integer on this side that is exact for every integer
 * on the other; beyond, a filter would also let pass the neighbours of what it names, and a filter
 * may be all that a token allows.
 */
function checkNumber(value: number | bigint, problem: Problem): void {
  if (typeof value === 'bigint' || !(Math.abs(value) <= Number.MAX_SAFE_INTEGER)) {
    throw problem(
      'has a number beyond 2^53 - 1 in its `value`, which cannot be compared exactly; have such ids sent as strings',
    );
  }
}

function quoted(key: string): string {
  return JSON.stringify(key.length > 40 ? `${key.slice(0, 40)}…` : key);
}

function unusable(argument: string, message: string): MillraceError {
  return new MillraceError('BAD_USER_INPUT', message, { argument });
}
