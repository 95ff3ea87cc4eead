import { MillraceError } from '../core/errors.ts';
import {
  type FilterOperator,
  parseFilter,
  type PropertyFilter,
} from '../decode/property-filter.ts';

/** The operators of analytics services, and ours. What they lack here has no equal. */
const operators: ReadonlyMap<string, FilterOperator> = new Map([
  ['eq', 'EQ'],
  ['ne', 'NE'],
  ['gt', 'GT'],
  ['gte', 'GTE'],
  ['lt', 'LT'],
  ['lte', 'LTE'],
  ['in', 'IN'],
  ['exists', 'EXISTS'],
  ['contains', 'CONTAINS'],
]);

/**
 * One filter of an access key as a condition that can be held against events. It may be written as in
 * `where` (`property`, `operator`, `value`), or as analytics services list it (`property_name`,
 * `operator`, `property_value`).
 *
 * @returns the condition, or what keeps it from being enforced, for whoever wrote it
 */
export function accessCondition(filter: unknown): PropertyFilter | string {
  const translated = translate(filter);
  if (typeof translated === 'string') return translated;
  try {
    const [condition] = parseFilter([translated], 'filters');
    return condition ?? 'is no condition';
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    return error.message.replace('`filters[0]` ', '').replace(/\.$/, '');
  }
}

interface ListedFilter {
  readonly property_name: unknown;
  readonly operator?: unknown;
  readonly property_value?: unknown;
}

function isListed(filter: unknown): filter is ListedFilter {
  return typeof filter === 'object' && filter !== null && 'property_name' in filter;
}

function translate(filter: unknown): unknown {
  if (!isListed(filter)) return filter;
  const { property_name: property, operator, property_value: value, ...others } = filter;
  const name = String(operator);
  const own = operators.get(name);
  if (own === undefined) {
    return `cannot be enforced: its operator is ${name}, and only ${[...operators.keys()].join(', ')} can`;
  }
  return { ...others, property, operator: own, value };
}
