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

function sharedParcels(): SharedParcels<Event, EventMessage> {
  return new SharedParcels(({ json }) => json.length);
}

function parcelWith(messages: readonly StreamMessage<Event>[]): Parcel<EventMessage> {
  const items = messages.map(({ item }) => new EventMessage('purchases', item, false, nowhere));
  return parcelOf(items, beginning, beginning);
}

/** Asks for it. @returns the parcel, and whether it was made for this one */
function ask(
  parcels: SharedParcels<Event, EventMessage>,
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
  const parcels = sharedParcels();
  parcels.use();
  const messages = stretchOf('a');
  const first = ask(parcels, messages);
  assert.deepEqual([first.isNew, ask(parcels, messages).isNew], [true, false]);
  assert.equal(ask(parcels, messages).parcel, first.parcel);
});

test('another wish, another place or another length is another parcel', () => {
  const parcels = sharedParcels();
  parcels.use();
  const messages = [...stretchOf('a'), ...stretchOf('b')];
  ask(parcels, messages);
  const elsewhere = { key: null, next: [7], lowest: [7] };
  assert.equal(ask(parcels, messages, { wish: 'some' }).isNew, true);
  assert.equal(ask(parcels, messages).isNew, false);
  assert.equal(ask(parcels, messages, { before: elsewhere }).isNew, true);
  assert.equal(ask(parcels, messages.slice(0, 1)).isNew, true);
});

const under = (epoch: number) => ({
  before: { key: null, next: [7], lowest: [7], epochs: [epoch] },
});

test('whoever was there under other leaders goes back to another place', () => {
  const parcels = sharedParcels();
  parcels.use();
  const messages = stretchOf('a');
  ask(parcels, messages, under(3));
  assert.deepEqual(
    [ask(parcels, messages, under(4)).isNew, ask(parcels, messages, under(4)).isNew],
    [true, false],
  );
});

test('a parcel is made anew when many have had it, as what they made of it is kept with it', () => {
  const parcels = sharedParcels();
  parcels.use();
  const messages = stretchOf('a');
  const made = Array.from({ length: 65 }, () => ask(parcels, messages).isNew);
  assert.equal(made.filter((isNew) => isNew).length, 3);
});

test('that nothing is wanted is remembered as well', () => {
  const parcels = sharedParcels();
  parcels.use();
  const stretch = { wish: 'none', messages: stretchOf('a', 10_000), before: beginning };
  assert.equal(
    parcels.of(stretch, () => null),
    null,
  );
  assert.equal(
    parcels.of(stretch, () => assert.fail('made again')),
    null,
  );
  assert.ok(parcels.bytes > 10_000, 'the message that it is found by is held');
});

test('what was used longest ago is forgotten when there is too much, and what is used stays', () => {
  const parcels = sharedParcels();
  parcels.use();
  const [often, ...others] = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'].map((id) =>
    stretchOf(id, MiB),
  );
  assert.ok(often);
  for (const other of others) {
    ask(parcels, often);
    ask(parcels, other);
    assert.ok(parcels.bytes <= 16 * MiB, `${parcels.bytes} bytes`);
  }
  assert.equal(ask(parcels, often).isNew, false);
  assert.equal(ask(parcels, others[0] ?? []).isNew, true);
});

test('what is made of a parcel for sending counts, whoever had it made, as it is kept with it', () => {
  const parcels = sharedParcels();
  parcels.use();
  const stretches = Array.from({ length: 5 }, (_, index) => stretchOf(`${index}`, MiB / 8));
  for (const messages of stretches) {
    for (let selection = 0; selection < 8; selection += 1) {
      const { parcel } = ask(parcels, messages);
      for (const item of parcel?.items ?? []) item.once({}, () => Buffer.alloc(MiB));
    }
  }
  // Each has texts of 8 MiB, and as much again in frames.
  assert.equal(ask(parcels, stretches[0] ?? []).isNew, true);
  assert.ok(parcels.bytes <= 16 * MiB, `${parcels.bytes} bytes`);
});

test('nothing is kept while nobody plays anything back', () => {
  const parcels = sharedParcels();
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
