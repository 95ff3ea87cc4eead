import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { JsonValue } from '../../../src/core/json.ts';
import {
  filterOperators,
  parseFilter,
  type PropertyFilter,
} from '../../../src/decode/property-filter.ts';
import { compileFilter } from '../../../src/hub/filter.ts';
import { type RemoveRoute, RouteTable } from '../../../src/hub/route-table.ts';

const scalar = fc.constantFrom<JsonValue>(
  null,
  true,
  false,
  0,
  -0,
  1,
  1.5,
  '',
  '0',
  '1',
  'a',
  'ab',
);
const value = fc.oneof(
  { weight: 4, arbitrary: scalar },
  fc.array(scalar, { maxLength: 2 }),
  fc.dictionary(fc.constantFrom('x', 'y', '__proto__'), scalar, { maxKeys: 2 }),
);
const property = fc.constantFrom('a', 'b', 'a.x', 'b.0', '__proto__', 'a\\.x');

/** Conditions as the parser lets them pass. */
const condition: fc.Arbitrary<PropertyFilter> = fc
  .record({
    property,
    operator: fc.oneof(fc.constantFrom('EQ', 'EQ', 'IN'), fc.constantFrom(...filterOperators)),
    value: fc.oneof(value, fc.array(scalar, { minLength: 1, maxLength: 4 })),
  })
  .map((input): PropertyFilter | undefined => {
    try {
      return parseFilter([input])[0];
    } catch {
      // A value that the operator does not take.
      return undefined;
    }
  })
  .filter((parsed) => parsed !== undefined);

const where = fc.array(condition, { maxLength: 3 });
const payload = fc.oneof(
  fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'a.x'), value),
  value,
);

type Step =
  | { readonly does: 'add'; readonly where: readonly PropertyFilter[] }
  | { readonly does: 'add again' | 'remove'; readonly which: number }
  | { readonly does: 'match'; readonly payload: unknown };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ does: fc.constant('add' as const), where }),
  fc.record({
    does: fc.constantFrom('add again' as const, 'remove' as const),
    which: fc.nat(1_000),
  }),
  fc.record({ does: fc.constant('match' as const), payload }),
);

test('property: an event is for exactly those whose filter it passes, once', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const table = new RouteTable<number>();
      const routes: {
        target: number;
        where: readonly PropertyFilter[];
        remove: RemoveRoute;
      }[] = [];
      let last = 0;
      const add = (filter: readonly PropertyFilter[]): void => {
        last += 1;
        routes.push({ target: last, where: filter, remove: table.add(last, filter) });
      };
      for (const now of steps) {
        if (now.does === 'add') {
          add(now.where);
        } else if (now.does === 'match') {
          const found: number[] = [];
          table.match({ payload: now.payload }, (target) => found.push(target));
          const expected = routes
            .filter((route) => compileFilter(route.where)(now.payload))
            .map(({ target }) => target);
          assert.deepEqual(
            found.toSorted((a, b) => a - b),
            expected,
          );
        } else {
          const at = now.which % Math.max(1, routes.length);
          if (now.does === 'add again') add(routes[at]?.where ?? []);
          else for (const { remove } of routes.splice(at, 1)) remove();
        }
      }
      for (const { remove } of routes) remove();
      table.match(unread, () => assert.fail('nobody is left'));
    }),
    { numRuns: 500 },
  );
});

/** The source of an event whose payload must not be looked at. */
const unread = {
  get payload(): never {
    return assert.fail('the payload was read');
  },
};

/** A payload that counts how often each of its properties is read. */
function counting(properties: Readonly<Record<string, JsonValue>>) {
  const reads = new Map<PropertyKey, number>();
  const counted = new Proxy(properties, {
    get(target, name, receiver): unknown {
      reads.set(name, (reads.get(name) ?? 0) + 1);
      return Reflect.get(target, name, receiver);
    },
  });
  return { payload: counted, reads };
}

test('of ten thousand filters on a property those are evaluated that ask for its value', () => {
  const table = new RouteTable<string>();
  for (let user = 0; user < 10_000; user += 1) {
    const property = { property: 'user', operator: 'EQ', value: user } as const;
    table.add(`all of ${user}`, [property]);
    table.add(`large of ${user}`, [{ property: 'total', operator: 'GT', value: 10 }, property]);
  }
  table.add('any', [{ property: 'user', operator: 'IN', value: [7, 8, 'x'] }]);
  const found: string[] = [];
  const source = counting({ user: 7, total: 9 });
  table.match(source, (target) => found.push(target));
  assert.deepEqual(found, ['all of 7', 'any']);
  assert.deepEqual(Object.fromEntries(source.reads), { user: 1, total: 1 });
});

test('the condition is looked up that asks for the fewest values, whatever their order', () => {
  const table = new RouteTable<string>();
  const ids = Array.from({ length: 100 }, (_, id) => id);
  const rare = { property: 'rare', operator: 'EQ', value: true } as const;
  const common = { property: 'id', operator: 'IN', value: ids } as const;
  table.add('one', [common, rare]);
  table.add('two', [rare, common]);
  const source = counting({ id: 1, rare: false });
  table.match(source, () => assert.fail('it is for nobody'));
  assert.deepEqual(Object.fromEntries(source.reads), { rare: 1 });
});

test('without a filter nothing is read of a payload', () => {
  const table = new RouteTable<string>();
  const remove = table.add('filtered', [{ property: 'a', operator: 'EXISTS' }]);
  table.add('all', []);
  remove();
  const found: string[] = [];
  table.match(unread, (target) => found.push(target));
  assert.deepEqual(found, ['all']);
});

test('a route that is taken out twice takes no other with it', () => {
  const table = new RouteTable<string>();
  const first = table.add('first', [{ property: 'a', operator: 'EQ', value: 1 }]);
  first();
  table.add('second', [{ property: 'a', operator: 'EQ', value: 1 }]);
  first();
  const found: string[] = [];
  table.match({ payload: { a: 1 } }, (target) => found.push(target));
  assert.deepEqual(found, ['second']);
});
