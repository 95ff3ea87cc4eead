import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { makeExecutableSchema } from '@graphql-tools/schema';
import { parse } from 'graphql';
import type { Parcel } from '../../../../src/hub/parcel.ts';
import { type FrameReceiver, NextFrames } from '../../../../src/transports/graphql/next-frames.ts';
import { Selection } from '../../../../src/transports/graphql/selection.ts';
import type { SharedFrames } from '../../../../src/transports/shared-frames.ts';
import { parcel } from '../../../support/parcels.ts';
import { Numbered } from '../../../support/messages.ts';
import { settle } from '../../../support/manual-clock.ts';
import { sentBy } from '../../../support/outgoing.ts';

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
  const selection = new Selection({ schema, document: parse(query) }, (result) => result);
  return new NextFrames(selection, sentBy());
}

/** As a delivery asks for them. */
function ofFrames(
  frames: NextFrames,
  due: Parcel,
  markLength: number,
  receiver: FrameReceiver,
): SharedFrames {
  return frames.known(due, markLength, receiver) ?? frames.make(due, markLength, receiver);
}

/** The frames with this mark, without their headers. */
function textOf(frames: SharedFrames, mark: string): string {
  const bytes = Buffer.alloc(frames.length);
  frames.copyTo(bytes, 0, Buffer.from(mark));
  return bytes.toString('latin1').replaceAll(/[\x80-\xff]./g, '');
}

/** A receiver that nobody looks at. */
const anybody: FrameReceiver = {
  compresses: false,
  context: () => assert.fail('nobody looks at who asks'),
};
const compressing = { ...anybody, compresses: true };

test('those whose ids are of one length share the frames of a parcel, whichever came between', () => {
  const frames = framesOf('subscription { item { number } }');
  const parcels = [parcel(new Numbered(1)), parcel(new Numbered(2), new Numbered(3))];
  const [first, second] = parcels.map((each) => ofFrames(frames, each, 3, anybody));
  assert.ok(first !== undefined && second !== undefined);
  for (const [index, parcel] of parcels.entries()) {
    assert.equal(ofFrames(frames, parcel, 3, { ...anybody }), [first, second][index]);
    assert.notEqual(ofFrames(frames, parcel, 4, anybody), first);
    assert.notEqual(ofFrames(frames, parcel, 3, compressing), first);
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
  const only = parcel(new Numbered(1));
  for (const name of ['alice', 'bob', 'alice']) {
    assert.match(
      textOf(ofFrames(frames, only, 3, { compresses: false, context: () => ({ name }) }), '"a"'),
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
      const only = parcel(new Numbered(number));
      ofFrames(frames, only, 3, anybody);
      ofFrames(frames, only, 3, compressing);
      return new WeakRef(only);
    });
  const handedOut = handOut();
  await settle();
  collectGarbage();
  assert.deepEqual(
    handedOut.map((each) => each.deref()),
    [undefined, undefined, undefined],
  );
  assert.ok(frames);
});
