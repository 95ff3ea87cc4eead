import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { KafkaError } from '../../../../src/kafka/port.ts';
import type { TopicDescription } from '../../../../src/kafka/port.ts';
import type {
  Brokers,
  FetchConnection,
  FetchRequest,
  LedPartition,
} from '../../../../src/kafka/reader/brokers.ts';
import { ClusterReader } from '../../../../src/kafka/reader/cluster-reader.ts';
import type { FetchAnswer, FetchedPartition } from '../../../../src/kafka/wire/fetch-answer.ts';
import { Tape } from '../../../conformance/kafka-port/tape.ts';
import { writeBatch } from '../../../support/record-batch.ts';
import { until } from '../../../support/until.ts';

const topic = 'acme.orders';

/** The log of one partition. An answer holds one record of it, and what the test makes it say. */
interface FakeLog {
  leader: number | null;
  leaderEpoch: number;
  start: number;
  end: number;
  says: Partial<FetchedPartition>;
}

function log(leader: number, end: number): FakeLog {
  return { leader, leaderEpoch: 1, start: 0, end, says: {} };
}

/** A cluster whose long polls are short. */
class FakeCluster implements Brokers {
  readonly logs: FakeLog[];
  readonly down = new Set<number>();
  /** Answers of these nodes are held up until it resolves. */
  readonly heldUp = new Map<number, Promise<void>>();
  readonly requests: { readonly node: number; readonly request: FetchRequest }[] = [];
  topicId: string | null = 'first';
  looks = 0;

  constructor(logs: FakeLog[]) {
    this.logs = logs;
  }

  async describe(): Promise<TopicDescription> {
    this.looks += 1;
    const partitions = this.logs.map(({ leader, leaderEpoch }, id) => ({
      id,
      leader,
      leaderEpoch,
    }));
    return { name: topic, topicId: this.topicId, partitions };
  }

  async logBounds(
    _topic: string,
    partitions: readonly LedPartition[],
    which: 'earliest' | 'latest',
  ): Promise<Map<number, number | KafkaError>> {
    return new Map(
      partitions.map(({ id, leader }): [number, number | KafkaError] => {
        if (this.down.has(leader)) return [id, new KafkaError('UNAVAILABLE', 'down')];
        return [id, (which === 'earliest' ? this.logs[id]?.start : this.logs[id]?.end) ?? 0];
      }),
    );
  }

  connectionTo(node: number): FetchConnection {
    const closing = Promise.withResolvers<never>();
    closing.promise.catch(() => undefined);
    const state = { usable: false };
    return {
      get usable() {
        return state.usable;
      },
      open: async () => {
        if (this.down.has(node)) throw new KafkaError('UNAVAILABLE', `broker ${node} is down`);
        state.usable = true;
      },
      fetch: (request) => {
        this.requests.push({ node, request });
        return Promise.race([closing.promise, this.#answer(node, request)]);
      },
      close: async () => {
        state.usable = false;
        closing.reject(new KafkaError('UNAVAILABLE', 'closed'));
      },
    };
  }

  async #answer(node: number, { positions }: FetchRequest): Promise<FetchAnswer> {
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (this.down.has(node)) throw new KafkaError('UNAVAILABLE', `broker ${node} is down`);
    const partitions = positions.map(({ partition, offset }): FetchedPartition => {
      const at = this.logs[partition] ?? log(node, 0);
      const notLeader = at.leader !== node;
      const outside = offset < at.start || offset > at.end;
      const value = Buffer.from(`${partition}/${offset}`);
      const record = { offset, timestampMs: 0, key: null, value };
      const batch = () => writeBatch({ baseOffset: offset, records: [record] });
      return {
        partition,
        errorCode: notLeader ? 6 : outside ? 1 : 0,
        lastStableOffset: at.end,
        logStartOffset: at.start,
        divergesFrom: null,
        aborted: [],
        batches: notLeader || offset >= at.end ? Buffer.alloc(0) : batch(),
        ...at.says,
      };
    });
    await this.heldUp.get(node);
    return { throttledMs: 0, errorCode: 0, partitions };
  }
}

function read(
  t: TestContext,
  cluster: FakeCluster,
  start: readonly number[],
  {
    startEpochs = [],
    turn,
  }: { readonly startEpochs?: readonly number[]; readonly turn?: () => Promise<void> } = {},
): Tape {
  const tape = new Tape();
  tape.start(
    { openReader: (options) => new ClusterReader(cluster, options, 20) },
    {
      topic,
      start: new Map(start.entries()),
      startEpochs: new Map(startEpochs.entries()),
      ...(turn === undefined ? {} : { turn }),
    },
  );
  t.after(() => tape.reader.close());
  return tape;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

test('a partition that its leader refuses costs no other', async (t) => {
  const [healthy, refused] = [log(1, 20), log(1, 20)];
  refused.says = { errorCode: 56 };
  const tape = read(t, new FakeCluster([healthy, refused]), [0, 0]);
  await tape.untilPosition(0, 20);
  assert.deepEqual(tape.offsets(1), []);
  const { status } = tape.reader;
  assert.ok(status.state === 'degraded');
  assert.deepEqual(status.partitions, [1]);
  refused.says = {};
  await tape.untilPosition(1, 20);
  assert.deepEqual([tape.offsets(0), tape.offsets(1)], [range(0, 20), range(0, 20)]);
  assert.equal(tape.reader.status.state, 'running');
});

test('leaders change at every turn: nothing is lost, nothing repeated', async (t) => {
  const cluster = new FakeCluster([log(1, 120), log(2, 120)]);
  const tape = read(t, cluster, [0, 0]);
  const change = setInterval(() => {
    for (const one of cluster.logs) {
      one.leader = one.leader === 1 ? 2 : 1;
      one.leaderEpoch += 1;
    }
  }, 60);
  t.after(() => clearInterval(change));
  await tape.untilRecords(240);
  for (const partition of [0, 1]) assert.deepEqual(tape.offsets(partition), range(0, 120));
  assert.equal(new Set(cluster.requests.map(({ node }) => node)).size, 2);
});

test('with turns of its own the partitions of an answer are handed over one by one', async (t) => {
  const cluster = new FakeCluster([log(1, 10), log(1, 10), log(1, 10)]);
  let turns = 0;
  const turn = async (): Promise<void> => {
    turns += 1;
  };
  const tape = read(t, cluster, [0, 0, 0], { turn });
  const perCall: number[][] = [];
  let told = 0;
  await tape.until(() => {
    const batches = tape.batches.slice(told).filter(({ records }) => records.length > 0);
    perCall.push(batches.map(({ partition }) => partition));
    told = tape.batches.length;
    return tape.records.length === 30;
  }, 'all records');
  for (const partition of [0, 1, 2]) assert.deepEqual(tape.offsets(partition), range(0, 10));
  assert.deepEqual(
    perCall.filter((partitions) => partitions.length > 1),
    [],
  );
  assert.ok(turns >= 30);
});

test('who leads a partition now is not asked before what the last leader answered is handed over', async (t) => {
  const cluster = new FakeCluster([log(1, 10), log(1, 10)]);
  const gate = Promise.withResolvers<void>();
  t.after(() => gate.resolve());
  const asked = Promise.withResolvers<void>();
  let turns = 0;
  const turn = async (): Promise<void> => {
    turns += 1;
    if (turns < 2) return;
    asked.resolve();
    await gate.promise;
  };
  const tape = read(t, cluster, [0, 0], { turn });
  await asked.promise;
  const moving = cluster.logs.find((_, partition) => tape.offsets(partition).length === 0);
  assert.ok(moving);
  const { looks } = cluster;
  moving.leader = 2;
  moving.leaderEpoch += 1;
  await until('another look at the leaders', () => cluster.looks > looks + 2);
  assert.deepEqual(
    cluster.requests.filter(({ node }) => node === 2),
    [],
  );
  gate.resolve();
  await tape.untilRecords(20);
  for (const partition of [0, 1]) assert.deepEqual(tape.offsets(partition), range(0, 10));
  assert.ok(cluster.requests.some(({ node }) => node === 2));
});

/** Batches of a record each, of which no two are small enough for one part. */
function largeBatches(count: number, epochOf: (offset: number) => number = () => 1): Buffer {
  const value = Buffer.alloc(40_000);
  return Buffer.concat(
    range(0, count).map((offset) => {
      const record = { offset, timestampMs: 0, key: null, value };
      const batch = writeBatch({ baseOffset: offset, records: [record] });
      batch.writeInt32BE(epochOf(offset), 12);
      return batch;
    }),
  );
}

test('a large answer is handed over in pieces, with turns of the event loop in between', async (t) => {
  const large = log(1, 4);
  large.says = { batches: largeBatches(4, (offset) => (offset < 2 ? 3 : 4)) };
  const tape = read(t, new FakeCluster([large, log(1, 1)]), [0, 0]);
  await tape.untilRecords(5);
  assert.deepEqual(tape.offsets(0), range(0, 4));
  const pieces = tape.batches.filter(
    ({ partition, records }) => partition === 0 && records.length > 0,
  );
  assert.deepEqual(
    pieces.map(({ nextOffset, highWatermark, epochs }) => ({ nextOffset, highWatermark, epochs })),
    [
      { nextOffset: 1, highWatermark: 4, epochs: [{ from: 0, epoch: 3 }] },
      { nextOffset: 2, highWatermark: 4, epochs: undefined },
      { nextOffset: 3, highWatermark: 4, epochs: [{ from: 2, epoch: 4 }] },
      { nextOffset: 4, highWatermark: 4, epochs: undefined },
    ],
  );
});

test('who leads a partition now is not asked before the last piece of it is handed over', async (t) => {
  const large = log(1, 3);
  large.says = { batches: largeBatches(3) };
  const cluster = new FakeCluster([large]);
  const gate = Promise.withResolvers<void>();
  t.after(() => gate.resolve());
  const asked = Promise.withResolvers<void>();
  let turns = 0;
  const turn = async (): Promise<void> => {
    turns += 1;
    if (turns < 2) return;
    asked.resolve();
    await gate.promise;
  };
  const tape = read(t, cluster, [0], { turn });
  await asked.promise;
  assert.deepEqual(tape.offsets(0), [0]);
  const { looks } = cluster;
  large.leader = 2;
  large.leaderEpoch += 1;
  await until('another look at the leaders', () => cluster.looks > looks + 2);
  assert.ok(cluster.requests.every(({ node }) => node === 1));
  gate.resolve();
  await tape.untilRecords(3);
  await until('a question to the new leader', () =>
    cluster.requests.some(({ node }) => node === 2),
  );
  assert.deepEqual(tape.offsets(0), range(0, 3));
});

test('an answer tells how long it has waited', async (t) => {
  const cluster = new FakeCluster([log(1, 1)]);
  const gate = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const turn = async (): Promise<void> => {
    asked.resolve();
    await gate.promise;
  };
  const tape = read(t, cluster, [0], { turn });
  await asked.promise;
  const waitsFrom = performance.now();
  await until('some time to pass', () => performance.now() > waitsFrom + 50);
  gate.resolve();
  await tape.untilRecords(1);
  assert.ok((tape.batches[0]?.ageMs ?? 0) >= 50, `${tape.batches[0]?.ageMs} ms`);
});

test('what a leader has answered is handed over before another one is heard, even if it was nothing', async (t) => {
  const moving = log(1, 0);
  const cluster = new FakeCluster([moving, log(2, 1)]);
  const first = Promise.withResolvers<void>();
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  t.after(() => {
    for (const { resolve } of gates) resolve();
  });
  let turns = 0;
  const turn = async (): Promise<void> => {
    turns += 1;
    first.resolve();
    await gates[Math.min(turns, 2) - 1]?.promise;
  };
  const tape = read(t, cluster, [0, 0], { turn });
  await first.promise;
  moving.leader = 2;
  moving.leaderEpoch += 1;
  moving.end = 5;
  const { looks } = cluster;
  await until('another look at the leaders', () => cluster.looks > looks + 2);
  for (const { resolve } of gates) resolve();
  await tape.untilRecords(6);
  assert.deepEqual(tape.offsets(0), range(0, 5));
  const nexts = tape.batches
    .filter(({ partition }) => partition === 0)
    .map(({ nextOffset }) => nextOffset);
  assert.deepEqual(
    nexts,
    nexts.toSorted((a, b) => a - b),
    'reading never goes back',
  );
});

test('what a former leader answers late does not count', async (t) => {
  const moving = log(1, 10);
  const cluster = new FakeCluster([log(1, 10), moving]);
  const gate = Promise.withResolvers<void>();
  cluster.heldUp.set(1, gate.promise);
  const tape = read(t, cluster, [0, 0]);
  await until('a question', () => cluster.requests.length > 0);
  moving.leader = 2;
  await tape.untilPosition(1, 10);
  gate.resolve();
  await tape.untilPosition(0, 10);
  assert.deepEqual([tape.offsets(0), tape.offsets(1)], [range(0, 10), range(0, 10)]);
});

test('a broker is away: its partitions alone are degraded, until it is back', async (t) => {
  const cluster = new FakeCluster([log(1, 5), log(2, 5)]);
  cluster.down.add(2);
  const tape = read(t, cluster, [0, 0]);
  await tape.untilPosition(0, 5);
  await tape.until(() => tape.reader.status.state === 'degraded', 'degraded');
  const { status } = tape.reader;
  assert.ok(status.state === 'degraded');
  assert.deepEqual(status.partitions, [1]);
  cluster.down.delete(2);
  await tape.untilPosition(1, 5);
  assert.equal(tape.reader.status.state, 'running');
});

test('out of range for a moment only: it is read on, but not judged by its epoch', async (t) => {
  const suspect = log(1, 10);
  const cluster = new FakeCluster([log(1, 10), suspect]);
  const tape = read(t, cluster, [0, 0]);
  await tape.untilRecords(20);
  const asked = () =>
    cluster.requests.at(-1)?.request.positions.find(({ partition }) => partition === 1);
  await tape.until(() => asked()?.readEpoch !== null, 'an epoch');
  suspect.says = { errorCode: 1 };
  const { looks } = cluster;
  await until('three looks', () => cluster.looks >= looks + 3);
  suspect.says = {};
  await tape.until(() => asked()?.readEpoch === null, 'a question without an epoch');
  suspect.end = 12;
  await tape.untilRecords(22);
  assert.deepEqual([tape.offsets(0), tape.offsets(1)], [range(0, 10), range(0, 12)]);
});

test('all that is out of range is told at once, as far as it was not handed over', async (t) => {
  const [truncated, shortened, healthy] = [log(1, 10), log(2, 10), log(2, 10)];
  const tape = read(t, new FakeCluster([truncated, shortened, healthy]), [0, 0, 0]);
  await tape.untilRecords(30);
  truncated.end = 4;
  shortened.start = 15;
  shortened.end = 20;
  const failure = await tape.untilFailed();
  assert.equal(failure.code, 'OFFSET_OUT_OF_RANGE');
  assert.deepEqual(failure.ranges, [
    { partition: 0, from: 4, to: 10 },
    { partition: 1, from: 10, to: 15 },
  ]);
});

test('a log that departs from the one that was read is told of, not read on', async (t) => {
  const diverging = log(1, 10);
  const tape = read(t, new FakeCluster([diverging]), [0]);
  await tape.untilRecords(10);
  diverging.says = { divergesFrom: 7 };
  const failure = await tape.untilFailed();
  assert.deepEqual(failure.ranges, [{ partition: 0, from: 7, to: 10 }]);
  assert.equal(tape.records.length, 10);
});

test('a log that departs below the start from the one that was read then is told of', async (t) => {
  const diverging = log(1, 10);
  diverging.says = { divergesFrom: 3 };
  const cluster = new FakeCluster([diverging]);
  const tape = read(t, cluster, [8], { startEpochs: [4] });
  const failure = await tape.untilFailed();
  assert.deepEqual(failure.ranges, [{ partition: 0, from: 3, to: 8 }]);
  assert.equal(cluster.requests[0]?.request.positions[0]?.readEpoch, 4);
  assert.equal(tape.records.length, 0);
});

test('a log that departs behind the start only is read on', async (t) => {
  const diverging = log(1, 10);
  diverging.says = { divergesFrom: 8 };
  const cluster = new FakeCluster([diverging]);
  const tape = read(t, cluster, [8], { startEpochs: [4] });
  const asked = (): number | null | undefined =>
    cluster.requests.at(-1)?.request.positions[0]?.readEpoch;
  await until('a question without an epoch', () => asked() === null);
  diverging.says = {};
  await tape.untilPosition(0, 10);
  assert.deepEqual(tape.offsets(0), [8, 9]);
});

test('the leader is told the epoch of the last batch that was read', async (t) => {
  const cluster = new FakeCluster([log(1, 1)]);
  const tape = read(t, cluster, [0]);
  await tape.until(() => tape.batches.length > 2, 'some answers');
  const [first, ...later] = cluster.requests.map(({ request }) => request.positions[0]);
  assert.equal(first?.readEpoch, null);
  assert.equal(first?.leaderEpoch, 1);
  assert.ok(later.length > 0 && later.every((position) => position?.readEpoch !== null));
});

test('a topic of the same name is not the same topic', async (t) => {
  const cluster = new FakeCluster([log(1, 3)]);
  const tape = read(t, cluster, [0]);
  await tape.untilRecords(3);
  // Brokers of before topic ids are no proof of anything.
  cluster.topicId = null;
  const { looks } = cluster;
  await tape.until(() => cluster.looks > looks + 1, 'two more looks');
  assert.equal(tape.reader.status.state, 'running');
  cluster.topicId = 'second';
  assert.equal((await tape.untilFailed()).code, 'TOPIC_RECREATED');
});

test('a leader that does not know the topic is not asked again before the cluster names it', async (t) => {
  const forgotten = log(1, 3);
  const cluster = new FakeCluster([forgotten]);
  const tape = read(t, cluster, [0]);
  await tape.untilRecords(3);
  forgotten.says = { errorCode: 3 };
  forgotten.leader = null;
  await tape.until(() => tape.reader.status.state === 'degraded', 'degraded');
  const { length: asked } = cluster.requests;
  const { looks } = cluster;
  forgotten.says = {};
  await until('three looks', () => cluster.looks >= looks + 3);
  assert.equal(cluster.requests.length, asked);
  forgotten.leader = 1;
  forgotten.end = 4;
  await tape.untilRecords(4);
  assert.deepEqual(tape.offsets(0), range(0, 4));
});

test('a partition that appears while it is paused is read once it is resumed', async (t) => {
  const cluster = new FakeCluster([log(1, 2)]);
  const tape = read(t, cluster, [0]);
  tape.reader.pause([1]);
  const added = log(1, 9);
  added.start = 4;
  cluster.logs.push(added);
  const { looks } = cluster;
  await tape.until(() => cluster.looks > looks + 1, 'two looks');
  await tape.untilRecords(2);
  assert.deepEqual(tape.offsets(1), []);
  tape.reader.resume([1]);
  await tape.untilPosition(1, 9);
  assert.deepEqual(tape.offsets(1), range(4, 9));
});

test('records that could not be handed on end the reading', async (t) => {
  const failed = Promise.withResolvers<KafkaError>();
  const reader = new ClusterReader(new FakeCluster([log(1, 2)]), {
    topic,
    start: new Map([[0, 0]]),
    onBatches: () => {
      throw new Error('no room');
    },
    onStatus: (status) => {
      if (status.state === 'failed') failed.resolve(status.error);
    },
  });
  t.after(() => reader.close());
  const { cause } = await failed.promise;
  assert.ok(cause instanceof Error && cause.message === 'no room');
});
