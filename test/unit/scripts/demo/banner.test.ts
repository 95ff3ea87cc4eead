import assert from 'node:assert/strict';
import { test } from 'node:test';
import { banner } from '../../../../scripts/demo/banner.ts';
import { demoProjects } from '../../../../scripts/demo/projects.ts';

test('Ctrl-C is said to stop what the demo has started, and no more', () => {
  const facts = {
    url: 'http://127.0.0.1:4000',
    brokers: ['127.0.0.1:9092'],
    projects: demoProjects,
    producing: null,
  };
  const own = banner({ ...facts, isForeign: false });
  assert.match(own, /Ctrl-C stops everything\./);
  const foreign = banner({ ...facts, isForeign: true });
  assert.match(foreign, /Ctrl-C stops the server and its events; Kafka goes on\./);
});
