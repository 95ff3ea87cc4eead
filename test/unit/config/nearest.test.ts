import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from '../../../src/config/nearest.ts';
import { knownPaths } from '../../../src/config/read-settings.ts';
import { settings } from '../../../src/config/schema.ts';

test('finds the setting that was meant', () => {
  const known = knownPaths(settings);
  const meant = {
    'listen.prot': 'listen.port',
    'kafka.topictemplate': 'kafka.topicTemplate',
    kafak: 'kafka',
    brokers: 'kafka.brokers',
    'kafka.passwordFile': 'kafka.sasl.passwordFile',
    'topics.lateness': 'topics.defaults.lateness',
  };
  for (const [unknown, expected] of Object.entries(meant)) {
    assert.equal(nearest(unknown, known), expected, unknown);
  }
});

test('finds nothing among nothing', () => {
  assert.equal(nearest('anything', []), null);
});
