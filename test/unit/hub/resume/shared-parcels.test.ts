import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beginning, type StreamPosition } from '../../../../src/hub/cursor/stream-position.ts';
import { StreamMessage } from '../../../../src/hub/history/stream-message.ts';
import { EventMessage } from '../../../../src/hub/message.ts';
import { type Parcel, parcelOf } from '../../../../src/hub/parcel.ts';
import { SharedParcels } from '../../../../src/hub/resume/shared-parcels.ts';
import type { Event } from '../../../../src/decode/event.ts';
import { sketched } from '../../../support/events.ts';
import { nowhere } from '../../../support/parcels.ts';

const MiB = 2 ** 20;

function stretchOf(id: string, size = 10): StreamMessage<Event>[] {
  const json = JSON.stringify({ id, pad: 'x'.repeat(size) });
  const event: Event = { ...sketched({ id, partition: 0, offset: 0, at: 0 }), json };
  return [new StreamMessage(event, false, beginning, null)];
}

function parcelWith(messages: readonly StreamMessage<Event>[]): Parcel<EventMessage> {
  const items = messages.map(({ item }) => new EventMessage('purchases', item, false, nowhere));
  return parcelOf(items, beginning, beginning);
}

/** Asks for it. @returns the parcel, and whether it was made for this one */
function ask(
  parcels: SharedParcels<EventMessage>,
  messages: readonly StreamMessage<Event>[],
  { wish = 'all', before = beginning }: { wish?: string; before?: StreamPosition } = {},
): { parcel: Parcel<EventMessage> | null; isNew: boolean } {
  let isNew = false;
  const parcel = parcels.of({ wish, messages, before }, () => {
    isNew = true;
    return parcelWith(messages);
  });
  return { parcel, isNew };
}

test('who wants the same from the same place gets the same parcel', () => {
  const parcels = new SharedParcels<EventMessage>();
  parcels.use();
  const messages = stretchOf('a');
  const first = ask(parcels, messages);
  assert.deepEqual([first.isNew, ask(parcels, messages).isNew], [true, false]);
  assert.equal(ask(parcels, messages).parcel, first.parcel);
});

test('another wish, another place or another length is another parcel', () => {
  const parcels = new SharedParcels<EventMessage>();
  parcels.use();
  const messages = [...stretchOf('a'), ...stretchOf('b')];
  ask(parcels, messages);
  const elsewhere = { key: null, next: [7], lowest: [7] };
  assert.equal(ask(parcels, messages, { wish: 'some' }).isNew, true);
  assert.equal(ask(parcels, messages).isNew, false);
  assert.equal(ask(parcels, messages, { before: elsewhere }).isNew, true);
  assert.equal(ask(parcels, messages.slice(0, 1)).isNew, true);
});

test('that nothing is wanted is remembered as well', () => {
  const parcels = new SharedParcels<EventMessage>();
  parcels.use();
  const stretch = { wish: 'none', messages: stretchOf('a'), before: beginning };
  assert.equal(
    parcels.of(stretch, () => null),
    null,
  );
  assert.equal(
    parcels.of(stretch, () => assert.fail('made again')),
    null,
  );
});

test('what was used longest ago is forgotten when there is too much, and what is used stays', () => {
  const parcels = new SharedParcels<EventMessage>();
  parcels.use();
  const [often, ...others] = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => stretchOf(id, MiB));
  assert.ok(often);
  for (const other of others) {
    ask(parcels, often);
    ask(parcels, other);
    assert.ok(parcels.bytes <= 4 * MiB);
  }
  assert.equal(ask(parcels, often).isNew, false);
  assert.equal(ask(parcels, others[0] ?? []).isNew, true);
});

test('nothing is kept while nobody plays anything back', () => {
  const parcels = new SharedParcels<EventMessage>();
  const messages = stretchOf('a');
  ask(parcels, messages);
  assert.equal(parcels.bytes, 0);
  const ends = [parcels.use(), parcels.use()];
  ask(parcels, messages);
  ends[0]?.();
  ends[0]?.();
  assert.equal(ask(parcels, messages).isNew, false);
  ends[1]?.();
  assert.equal(parcels.bytes, 0);
  assert.equal(ask(parcels, messages).isNew, true);
});
