import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KafkaError, type ReaderStatus } from '../../../src/kafka/port.ts';
import { ReaderStatusLine } from '../../../src/kafka/reader-status.ts';

function open() {
  const told: ReaderStatus[] = [];
  const line = new ReaderStatusLine((status) => told.push(status));
  const states = () =>
    told.map((status) =>
      status.state === 'degraded' ? `degraded ${status.partitions.join()}` : status.state,
    );
  return { line, states };
}

const unavailable = new KafkaError('UNAVAILABLE', 'no leader');

test('tells of changes only', () => {
  const { line, states } = open();
  assert.equal(line.status.state, 'starting');
  line.reached([0]);
  line.reached([0, 1]);
  line.lost([1], unavailable);
  line.lost([1], unavailable);
  line.lost([0], unavailable);
  line.reached([0]);
  line.reached([1]);
  assert.deepEqual(states(), ['running', 'degraded 1', 'degraded 0,1', 'degraded 1', 'running']);
});

test('is degraded without partitions while none is known', () => {
  const { line, states } = open();
  line.lost([], unavailable);
  line.reached([0]);
  assert.deepEqual(states(), ['degraded ', 'running']);
});

test('a partition that nobody asks about is not missed', () => {
  const { line, states } = open();
  line.reached([0, 1]);
  line.lost([1], unavailable);
  line.paused([1]);
  assert.deepEqual(states(), ['running', 'degraded 1', 'running']);
});

test('pausing what never answered does not make it running', () => {
  const { line } = open();
  line.paused([0]);
  assert.equal(line.status.state, 'starting');
});

test('failure is final', () => {
  const { line, states } = open();
  line.fail(new KafkaError('TOPIC_NOT_FOUND', 'gone'));
  line.reached([0]);
  line.fail(unavailable);
  assert.deepEqual(states(), ['failed']);
  assert.equal(line.status.state, 'failed');
});

test('after close nothing is told', () => {
  const { line, states } = open();
  line.close();
  line.reached([0]);
  assert.deepEqual(states(), []);
});
