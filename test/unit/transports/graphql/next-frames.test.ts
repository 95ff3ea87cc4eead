import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { parse } from 'graphql';
import { type Parcel, parcelOf } from '../../../../src/hub/parcel.ts';
import { NextFrames } from '../../../../src/transports/graphql/next-frames.ts';
import { Selection } from '../../../../src/transports/graphql/selection.ts';
import type { SharedFrames } from '../../../../src/transports/shared-frames.ts';
import { Numbered } from '../../../support/messages.ts';
import { settle } from '../../../support/manual-clock.ts';

const schema = makeExecutableSchema({
  typeDefs: `
    type Query { a: Int }
    type Item { number: Int, who: String }
    type Subscription { item: Item }
  `,
  resolvers: {
    Item: { who: (_item: unknown, _args: unknown, context: { name: string }) => context.name },
    Subscription: { item: { resolve: (message: unknown) => message } },
  },
});

function framesOf(query: string): NextFrames {
  return new NextFrames(new Selection({ schema, document: parse(query) }, (result) => result));
}

/** The frames with this mark, without their headers. */
function textOf(frames: SharedFrames, mark: string): string {
  const bytes = Buffer.alloc(frames.length);
  frames.copyTo(bytes, 0, Buffer.from(mark));
  return bytes.toString('latin1').replaceAll(/[\x80-\xff]./g, '');
}

const anybody = (): never => assert.fail('nobody looks at who asks');
const kind = { markLength: 3, compresses: false };

test('those whose ids are of one length share the frames of a parcel, whichever came between', () => {
  const frames = framesOf('subscription { item { number } }');
  const parcels = [parcelOf([new Numbered(1)]), parcelOf([new Numbered(2), new Numbered(3)])];
  const [first, second] = parcels.map((parcel) => frames.of(parcel, kind, anybody));
  assert.ok(first !== undefined && second !== undefined);
  for (const [index, parcel] of parcels.entries()) {
    assert.equal(frames.of(parcel, { ...kind }, anybody), [first, second][index]);
    assert.notEqual(frames.of(parcel, { ...kind, markLength: 4 }, anybody), first);
    assert.notEqual(frames.of(parcel, { ...kind, compresses: true }, anybody), first);
  }
  assert.equal(
    textOf(second, '"a"'),
    [2, 3]
      .map((number) => `{"id":"a","type":"next","payload":{"data":{"item":{"number":${number}}}}}`)
      .join(''),
  );
});

test('frames that depend on who asks are made for each', () => {
  const frames = framesOf('subscription { item { who } }');
  const parcel = parcelOf([new Numbered(1)]);
  for (const name of ['alice', 'bob', 'alice']) {
    assert.match(
      textOf(
        frames.of(parcel, kind, () => ({ name })),
        '"a"',
      ),
      new RegExp(`"${name}"`),
    );
  }
});

test('nothing is kept of a parcel that has been handed out', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage: unknown = runInNewContext('gc');
  assert.ok(typeof collectGarbage === 'function');
  const frames = framesOf('subscription { item { number } }');
  const handOut = (): WeakRef<Parcel>[] =>
    [1, 2, 3].map((number) => {
      const parcel = parcelOf([new Numbered(number)]);
      frames.of(parcel, kind, anybody);
      frames.of(parcel, { ...kind, compresses: true }, anybody);
      return new WeakRef(parcel);
    });
  const handedOut = handOut();
  await settle();
  collectGarbage();
  assert.deepEqual(
    handedOut.map((parcel) => parcel.deref()),
    [undefined, undefined, undefined],
  );
  assert.ok(frames);
});
