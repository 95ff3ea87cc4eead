import { type Path, parsePath, valueAt } from '../decode/path.ts';
import type { PropertyFilter } from '../decode/property-filter.ts';
import { compileFilter, type EventFilter } from './filter.ts';

type Scalar = string | number | boolean | null;

/** One target and what is left to be checked of its conditions once they were looked up. */
interface Entry<Target> {
  readonly target: Target;
  readonly rest: EventFilter | undefined;
}

/** Who asks for which values of one property. */
interface PropertyIndex<Target> {
  readonly property: string;
  readonly path: Path;
  /** A value that one target only asks for, as most are where there are many, has no set of its own. */
  readonly byValue: Map<unknown, Entry<Target> | Set<Entry<Target>>>;
}

/** Takes a target out again; in constant time, but for the values that an `IN` lists. */
export type RemoveRoute = () => void;

/**
 * Finds out for whom an event is. Of conditions with `EQ` or `IN` one is looked up by the event's value and
 * only the rest is evaluated, for those that were found: what a hundred thousand filters on a property
 * cost is what their matches cost. Filters without such a condition are evaluated one by one.
 */
export class RouteTable<Target> {
  readonly #all = new Set<Target>();
  readonly #evaluated = new Set<Entry<Target>>();
  readonly #indexes = new Map<string, PropertyIndex<Target>>();

  /** @param where all of its conditions must hold; without any, every event is for the target */
  add(target: Target, where: readonly PropertyFilter[]): RemoveRoute {
    if (where.length === 0) {
      this.#all.add(target);
      return () => this.#all.delete(target);
    }
    const looked = lookedUp(where);
    if (looked === undefined) {
      const entry = { target, rest: compileFilter(where) };
      this.#evaluated.add(entry);
      return () => this.#evaluated.delete(entry);
    }
    const others = where.filter((condition) => condition !== looked.condition);
    const entry = { target, rest: others.length > 0 ? compileFilter(others) : undefined };
    const index = this.#indexOf(looked.condition.property);
    for (const value of looked.values) enter(index, value, entry);
    return () => {
      for (const value of looked.values) leave(index, value, entry);
      const isCurrent = this.#indexes.get(index.property) === index;
      if (isCurrent && index.byValue.size === 0) this.#indexes.delete(index.property);
    };
  }

  /**
   * Calls `visit` for each target that the event is for, once.
   *
   * @param source parsed only if there is a filter
   */
  match(source: { readonly payload: unknown }, visit: (target: Target) => void): void {
    for (const target of this.#all) visit(target);
    if (this.#indexes.size === 0 && this.#evaluated.size === 0) return;
    const { payload } = source;
    for (const { path, byValue } of this.#indexes.values()) {
      const found = byValue.get(valueAt(payload, path));
      if (found === undefined) continue;
      if (found instanceof Set) for (const entry of found) visitIfPassed(entry, payload, visit);
      else visitIfPassed(found, payload, visit);
    }
    for (const entry of this.#evaluated) visitIfPassed(entry, payload, visit);
  }

  #indexOf(property: string): PropertyIndex<Target> {
    let index = this.#indexes.get(property);
    if (index === undefined) {
      index = { property, path: parsePath(property), byValue: new Map() };
      this.#indexes.set(property, index);
    }
    return index;
  }
}

function visitIfPassed<Target>(
  { target, rest }: Entry<Target>,
  payload: unknown,
  visit: (target: Target) => void,
): void {
  if (rest === undefined || rest(payload)) visit(target);
}

function enter<Target>(
  { byValue }: PropertyIndex<Target>,
  value: Scalar,
  entry: Entry<Target>,
): void {
  const there = byValue.get(value);
  if (there === undefined) byValue.set(value, entry);
  else if (there instanceof Set) there.add(entry);
  else byValue.set(value, new Set([there, entry]));
}

function leave<Target>(
  { byValue }: PropertyIndex<Target>,
  value: Scalar,
  entry: Entry<Target>,
): void {
  const there = byValue.get(value);
  if (there instanceof Set) {
    there.delete(entry);
    if (there.size === 0) byValue.delete(value);
  } else if (there === entry) {
    byValue.delete(value);
  }
}

/** How many of the conditions are evaluated for an event, at the most: all but the one that is looked up. */
export function evaluatedOf(where: readonly PropertyFilter[]): number {
  return lookedUp(where) === undefined ? where.length : where.length - 1;
}

/** The condition to look up, with the values that it asks for: the one that asks for the fewest. */
function lookedUp(
  where: readonly PropertyFilter[],
): { condition: PropertyFilter; values: readonly Scalar[] } | undefined {
  let best: { condition: PropertyFilter; values: readonly Scalar[] } | undefined;
  for (const condition of where) {
    const values = valuesOf(condition);
    if (values === undefined) continue;
    if (best === undefined || values.length < best.values.length) best = { condition, values };
  }
  return best;
}

/** The values that a property may have for the condition to hold; undefined: they are not listed. */
function valuesOf({ operator, value = null }: PropertyFilter): readonly Scalar[] | undefined {
  if (operator === 'EQ') return isScalar(value) ? [value] : undefined;
  if (operator !== 'IN' || !Array.isArray(value)) return undefined;
  return [...new Set(value.filter(isScalar))];
}

function isScalar(value: unknown): value is Scalar {
  return value === null || typeof value !== 'object';
}
