import { isObject, type JsonValue } from '../core/json.ts';
import { type Path, parsePath, valueAt } from '../decode/path.ts';
import type { FilterOperator, PropertyFilter } from '../decode/property-filter.ts';

/** Whether an event with this payload passes. Never throws. */
export type EventFilter = (payload: unknown) => boolean;

/** All conditions must hold; without any, every event passes. `conditions`: from `parseFilter`. */
export function compileFilter(conditions: readonly PropertyFilter[]): EventFilter {
  const tests = conditions.map(compileCondition);
  return (payload) => {
    for (const test of tests) {
      if (!test(payload)) return false;
    }
    return true;
  };
}

function compileCondition(condition: PropertyFilter): EventFilter {
  const { property, operator, value = null } = condition;
  return compilers[operator](parsePath(property), value);
}

const compilers: Readonly<Record<FilterOperator, (path: Path, value: JsonValue) => EventFilter>> = {
  EQ: equalTo,
  NE(path, value) {
    const equals = equalTo(path, value);
    return (payload) => !equals(payload);
  },
  GT: (path, value) => ordered(path, value, (order) => order > 0),
  GTE: (path, value) => ordered(path, value, (order) => order >= 0),
  LT: (path, value) => ordered(path, value, (order) => order < 0),
  LTE: (path, value) => ordered(path, value, (order) => order <= 0),
  IN(path, value) {
    const entries: ReadonlySet<unknown> = new Set(Array.isArray(value) ? value : []);
    return (payload) => entries.has(valueAt(payload, path));
  },
  EXISTS(path, value) {
    const expected = value !== false;
    return (payload) => (valueAt(payload, path) !== undefined) === expected;
  },
  CONTAINS: (path, value) => (payload) => contains(valueAt(payload, path), value),
  STARTS_WITH: (path, value) => (payload) => {
    const actual = valueAt(payload, path);
    return typeof actual === 'string' && typeof value === 'string' && actual.startsWith(value);
  },
};

function equalTo(path: Path, value: JsonValue): EventFilter {
  if (typeof value === 'object' && value !== null) {
    return (payload) => isDeepEqual(valueAt(payload, path), value);
  }
  return (payload) => valueAt(payload, path) === value;
}

function ordered(path: Path, value: JsonValue, holds: (order: number) => boolean): EventFilter {
  if (typeof value === 'number') {
    return (payload) => {
      const actual = valueAt(payload, path);
      return typeof actual === 'number' && holds(actual - value);
    };
  }
  return (payload) => {
    const actual = valueAt(payload, path);
    return (
      typeof actual === 'string' &&
      typeof value === 'string' &&
      holds(compareCodePoints(actual, value))
    );
  };
}

function contains(actual: unknown, value: JsonValue): boolean {
  if (typeof actual === 'string') return typeof value === 'string' && actual.includes(value);
  if (!Array.isArray(actual)) return false;
  for (const element of actual) {
    if (isDeepEqual(element, value)) return true;
  }
  return false;
}

/** Of JSON values; objects regardless of the order of their keys. No deeper than `value` is. */
function isDeepEqual(actual: unknown, value: unknown): boolean {
  if (actual === value) return true;
  if (!isObject(actual) || !isObject(value)) return false;
  if (Array.isArray(actual) !== Array.isArray(value)) return false;
  const keys = Object.keys(value);
  if (keys.length !== Object.keys(actual).length) return false;
  for (const key of keys) {
    if (!Object.hasOwn(actual, key)) return false;
    if (!isDeepEqual(actual[key], value[key])) return false;
  }
  return true;
}

/**
 * Negative, 0 or positive. JavaScript orders by UTF-16 unit, in which surrogates (U+10000 and up)
 * stand before U+E000 to U+FFFF; moving them behind makes it the order of code points, which is that
 * of the bytes in UTF-8 and of every other language.
 */
function compareCodePoints(left: string, right: string): number {
  const shorter = Math.min(left.length, right.length);
  for (let at = 0; at < shorter; at += 1) {
    const a = left.charCodeAt(at);
    const b = right.charCodeAt(at);
    if (a !== b) return surrogatesLast(a) - surrogatesLast(b);
  }
  return left.length - right.length;
}

function surrogatesLast(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
