import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KafkaDriver, ReaderOptions, RecordBatch } from '../../../src/kafka/port.ts';
import { collect, openHub } from '../../support/hub.ts';

interface Kept {
  readonly atMs: number;
  readonly batch: RecordBatch;
}

/** Keeps answers back, as a reader does whose subscriber takes nothing. */
class Hold {
  isOn = false;
  nowMs = (): number => 0;
  readonly #kept: Kept[] = [];
  #reader: ReaderOptions | undefined;

  on(driver: KafkaDriver): KafkaDriver {
    return {
      name: driver.name,
      connect: (sasl) => {
        const client = driver.connect(sasl);
        const openReader = client.openReader.bind(client);
        return Object.assign(client, {
          openReader: (options: ReaderOptions) => {
            this.#reader = options;
            return openReader({ ...options, onBatches: (batches) => this.#take(batches) });
          },
        });
      },
    };
  }

  /** Hands over what was kept: what came in the first moments, then partition by partition. */
  letGo(): void {
    this.isOn = false;
    const [first] = this.#kept;
    const begin = (first?.atMs ?? 0) + 1_000;
    const old = this.#kept.filter(({ atMs }) => atMs < begin);
    const others = this.#kept.filter(({ atMs }) => atMs >= begin);
    for (const kept of old) this.#handOver(kept);
    for (const partition of [0, 1]) {
      for (const kept of others) if (kept.batch.partition === partition) this.#handOver(kept);
    }
    this.#kept.length = 0;
  }

  #take(batches: readonly RecordBatch[]): void {
    if (!this.isOn) {
      this.#reader?.onBatches(batches);
      return;
    }
    for (const batch of batches) this.#kept.push({ atMs: this.nowMs(), batch });
  }

  #handOver({ atMs, batch }: Kept): void {
    this.#reader?.onBatches([{ ...batch, ageMs: this.nowMs() - atMs }]);
  }
}

test('an answer that has waited says nothing about what was recorded since: nobody is late by it', async (t) => {
  const hold = new Hold();
  const { clock, events, record } = openHub(t, {
    topics: { purchases: 2 },
    driver: (embedded) => hold.on(embedded),
  });
  hold.nowMs = () => clock.now();
  const opening = events();
  await clock.advance(100);
  const taken = collect(await opening);
  for (const partition of [0, 1]) record(`first of ${partition}`, { partition });
  await clock.advance(5_000);
  assert.equal(taken.ids.length, 2);
  hold.isOn = true;
  await clock.advance(3_000);
  const ids: string[] = [];
  for (let n = 0; n < 60; n += 1) {
    ids.push(`e${n}`);
    record(`e${n}`, { partition: n % 2 });
    await clock.advance(1_000);
  }
  hold.letGo();
  await clock.advance(10_000);
  assert.deepEqual([taken.ids.slice(2), taken.late], [ids, []]);
});
