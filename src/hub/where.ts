import type { Principal } from '../auth/principal.ts';
import type { PropertyFilter } from '../decode/property-filter.ts';
import { compileFilter, type EventFilter } from './filter.ts';
import { evaluatedOf } from './route-table.ts';
import { assertSeesDeadLetters } from './visibility.ts';

/**
 * Which events are handed out: those that are asked for, of those that the principal may see.
 *
 * Whatever hands out any takes one of these, and none can be made without a principal: a way of reading
 * that forgets the filter of a token does not compile.
 */
export class Where {
  readonly #conditions: readonly PropertyFilter[];

  private constructor(conditions: readonly PropertyFilter[]) {
    this.#conditions = conditions;
  }

  static of({ filter }: Pick<Principal, 'filter'>, asked: readonly PropertyFilter[]): Where {
    // As a rule there is none of the one or of the other, and nothing is to be kept.
    if (asked.length === 0) return new Where(filter);
    return new Where(filter.length === 0 ? asked : [...filter, ...asked]);
  }

  /**
   * All dead letters of a topic.
   *
   * @throws {MillraceError} `FORBIDDEN`: the principal has a filter
   */
  static ofDeadLetters(principal: Pick<Principal, 'filter'>): Where {
    assertSeesDeadLetters(principal);
    return new Where([]);
  }

  /** All of them must hold. */
  get conditions(): readonly PropertyFilter[] {
    return this.#conditions;
  }

  /** How many of them are evaluated for an event, at the most. */
  get evaluated(): number {
    return evaluatedOf(this.#conditions);
  }

  /** Whether an event passes; undefined: every one does. */
  compile(): EventFilter | undefined {
    return this.#conditions.length > 0 ? compileFilter(this.#conditions) : undefined;
  }
}
