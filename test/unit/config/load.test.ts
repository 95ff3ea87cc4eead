import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Config, topicConfig } from '../../../src/config/config.ts';
import type { Environment } from '../../../src/config/environment.ts';
import { type LoadedConfig, loadConfig } from '../../../src/config/load.ts';
import { formatProblem } from '../../../src/config/problem.ts';
import { configFile } from '../../support/config-file.ts';

const digest = 'a'.repeat(64);

/** The smallest that a server needs, for tests of something else. */
const env = { MILLRACE_KAFKA_BROKERS: '127.0.0.1:9092' };

function load(t: TestContext, yaml: string, environment: Environment = env): LoadedConfig {
  return loadConfig({ file: configFile(t, yaml), env: environment });
}

function valid({ config, problems }: LoadedConfig): Config {
  assert.deepEqual(problems.map(formatProblem), []);
  assert.ok(config);
  return config;
}

function problemsOf(loaded: LoadedConfig): string[] {
  assert.equal(loaded.config, null);
  return loaded.problems.map(formatProblem);
}

const notAPath =
  'expected names with one dot between them, such as user.id (a dot within a name is written \\.)';

test('a port that no broker can have is refused with its range, as is one to listen on', () => {
  for (const [variable, port, message] of [
    ['MILLRACE_KAFKA_BROKERS', 'kafka:99999', 'expected a port from 1 to 65535 behind the colon'],
    ['MILLRACE_KAFKA_BROKERS', 'kafka:0', 'expected a port from 1 to 65535 behind the colon'],
    ['MILLRACE_KAFKA_BROKERS', 'kafka:', 'expected host:port, such as 127.0.0.1:9092'],
    ['MILLRACE_LISTEN_PORT', '99999', 'expected a whole number from 0 to 65535'],
    ['MILLRACE_TOPICS_DEFAULTS_ID', 'keen..id', notAPath],
    ['MILLRACE_TOPICS_DEFAULTS_TIMESTAMP', '.timestamp', notAPath],
    ['MILLRACE_TOPICS_DEFAULTS_SEQUENCE', 'number.', notAPath],
  ] as const) {
    const [problem] = loadConfig({ env: { ...env, [variable]: port } }).problems;
    assert.equal(problem?.message, message, port);
  }
  valid(loadConfig({ env: { MILLRACE_KAFKA_BROKERS: '[::1]:1,kafka.example:65535' } }));
});

test('defaults and environment alone make a configuration', () => {
  const config = valid(loadConfig({ env }));
  assert.deepEqual(config.listen, { host: '127.0.0.1', port: 4_000, tls: null });
  assert.deepEqual(config.kafka.brokers, ['127.0.0.1:9092']);
  assert.equal(config.kafka.ssl, false);
  assert.equal(config.kafka.sasl, null);
  assert.equal(config.kafka.credentials, 'client');
  assert.deepEqual(config.auth, { projects: [] });
  assert.deepEqual(config.cursors, { secret: null });
  assert.equal(config.feeds.lingerMs, 30_000);
  assert.equal(config.limits.outboundBytesPerConnection, 1_048_576);
  assert.equal(config.limits.recentBytes, 16_777_216);
  assert.equal(config.limits.recentReadersPerProject, 8);
});

test('the file is read, with units and lists', (t) => {
  const config = valid(
    load(
      t,
      `
listen: { port: 0 }
kafka: { brokers: [a.example:9092, "[::1]:9093"], ssl: true, deadLetterSuffix: .dead }
feeds: { linger: 1.5m }
limits: { inboundFrameBytes: 128KiB, outboundBytesPerConnection: 2000000 }
http: { allowedOrigins: ["https://app.example.com", "http://localhost:5173"] }
`,
      {},
    ),
  );
  assert.equal(config.listen.port, 0);
  assert.deepEqual(config.kafka.brokers, ['a.example:9092', '[::1]:9093']);
  assert.deepEqual(config.kafka.ssl, {});
  assert.equal(config.feeds.lingerMs, 90_000);
  assert.equal(config.limits.inboundFrameBytes, 131_072);
  assert.equal(config.limits.outboundBytesPerConnection, 2_000_000);
  assert.deepEqual(config.http.allowedOrigins, [
    'https://app.example.com',
    'http://localhost:5173',
  ]);
});

test('the environment wins over the file', (t) => {
  const config = valid(
    load(
      t,
      'listen: { port: 1 }\ngraphql: { graphiql: true }\ntopics: { defaults: { lateness: 1s } }',
      {
        MILLRACE_LISTEN_PORT: '2',
        MILLRACE_GRAPHQL_GRAPHIQL: 'false',
        MILLRACE_TOPICS_DEFAULTS_LATENESS: '2s',
        MILLRACE_KAFKA_BROKERS: 'a:9092, b:9092',
        MILLRACE_KAFKA_CLIENT_ID: '5e3',
        MILLRACE_TOPICS_OVERRIDES: '{"orders": {"id": "order_id"}}',
        MILLRACE_AUTH_PROJECTS: `[{"id": "p", "keys": [{"kind": "read", "sha256": "${digest}"}]}]`,
      },
    ),
  );
  assert.equal(config.listen.port, 2);
  assert.equal(config.graphql.graphiql, false);
  assert.equal(config.topics.defaults.latenessMs, 2_000);
  assert.deepEqual(config.kafka.brokers, ['a:9092', 'b:9092']);
  assert.equal(config.kafka.clientId, '5e3');
  assert.deepEqual(config.topics.overrides, { orders: { id: 'order_id' } });
  assert.equal(config.auth.projects[0]?.id, 'p');
});

test('a problem of a variable names the variable', () => {
  const loaded = loadConfig({
    env: { ...env, MILLRACE_LISTEN_PORT: '70000', MILLRACE_AUTH_PROJECTS: '[{' },
  });
  const [port, projects] = problemsOf(loaded);
  assert.equal(port, 'listen.port: expected a whole number from 0 to 65535 (MILLRACE_LISTEN_PORT)');
  assert.match(projects ?? '', /^auth\.projects: .* \(MILLRACE_AUTH_PROJECTS\)$/s);
});

test('an unknown variable is refused with the nearest', () => {
  assert.deepEqual(problemsOf(loadConfig({ env: { ...env, MILLRACE_KAFKA_BROKER: 'a:1' } })), [
    'MILLRACE_KAFKA_BROKER: is not the variable of any setting; the nearest is MILLRACE_KAFKA_BROKERS (environment)',
  ]);
});

test('every problem is listed, with its path and its line', (t) => {
  const yaml = `listen:
  prot: 4000
  host: 127
kafka:
  brokers: [nowhere]
  credentials: both
topics:
  defaults: { lateness: 2, order: RANDOM }
  overrides:
    orders: { tmiestamp: t }
limits: { recentEvents: 0 }
auth:
  projects:
    - id: p
      keys:
        - { kind: read, sha256: ${digest}, topic: [a] }
        - { kind: reed, sha256: ${'A'.repeat(64)} }
    - keys: []
`;
  assert.deepEqual(problemsOf(load(t, yaml, {})), [
    'listen.prot: unknown setting; the nearest known one is listen.port (line 2)',
    'listen.host: expected text; put the value in quotes (line 3)',
    'kafka.brokers[0]: expected host:port, such as 127.0.0.1:9092 (line 5)',
    'kafka.credentials: expected one of client, service (line 6)',
    'auth.projects[0].keys[0].topic: unknown setting; the nearest known one is topics (line 16)',
    'auth.projects[0].keys[1].kind: expected one of master, read, write, access (line 17)',
    'auth.projects[0].keys[1].sha256: expected 64 lower-case hex digits, the output of `millrace hash-key` (line 17)',
    'auth.projects[1].id: is missing (line 18)',
    'topics.defaults.order: expected one of ARRIVAL, TIMESTAMP, SEQUENCE (line 8)',
    'topics.defaults.lateness: expected a duration with its unit, such as 500ms, 2s, 10m or 4d (line 8)',
    'topics.overrides.orders.tmiestamp: unknown setting; the nearest known one is timestamp (line 10)',
    'limits.recentEvents: expected a whole number from 1 to 100000 (line 11)',
  ]);
});

test('what is no YAML, or no mapping, is told with its place', (t) => {
  const [broken] = problemsOf(load(t, 'listen:\n  port: [1\nkafka: {}\n'));
  assert.match(broken ?? '', /millrace\.yaml: .*\(line \d\)$/s);
  const [twice] = problemsOf(load(t, 'listen: {}\nlisten: {}\n'));
  assert.match(twice ?? '', /Map keys must be unique \(line 2\)$/);
  assert.deepEqual(problemsOf(load(t, '- a\n')), ['the file: expected a mapping of settings']);
  assert.deepEqual(problemsOf(load(t, 'listen: 4000\n')), [
    'listen: expected a mapping of settings (line 1)',
  ]);
  assert.deepEqual(problemsOf(load(t, 'kafka: { brokers: [b:1], ssl: yes }\n')), [
    'kafka.ssl: expected true, false or a mapping of settings (line 1)',
  ]);
  const [absent] = problemsOf(loadConfig({ file: 'no-such-file.yaml', env }));
  assert.match(absent ?? '', /^no-such-file\.yaml: cannot be read: ENOENT/);
});

test('aliases are fine, endless ones are not', (t) => {
  const config = valid(load(t, 'topics: { overrides: { a: &x { id: i }, b: *x } }'));
  assert.deepEqual(config.topics.overrides, { a: { id: 'i' }, b: { id: 'i' } });
  const [endless] = problemsOf(load(t, 'auth: { projects: &p [{ id: a, keys: *p }] }'));
  assert.match(endless ?? '', /an alias/);
});

test('names of the language itself are no settings', (t) => {
  const problems = problemsOf(
    load(t, '__proto__: { x: 1 }\nlisten: { constructor: 1, toString: 2 }\n'),
  );
  assert.equal(problems.length, 3);
  for (const problem of problems) assert.match(problem, /unknown setting/);
});

test('an empty file and empty sections mean the defaults', (t) => {
  assert.deepEqual(valid(load(t, '')), valid(loadConfig({ env })));
  assert.deepEqual(valid(load(t, 'listen:\nkafka: { clientId: }\n')), valid(loadConfig({ env })));
});

test('brokers are needed, but not by the embedded log', () => {
  assert.deepEqual(problemsOf(loadConfig({ env: {} })), [
    'kafka.brokers: is missing: list at least one host:port',
  ]);
  assert.equal(
    valid(loadConfig({ env: { MILLRACE_KAFKA_CLIENT: 'embedded' } })).kafka.client,
    'embedded',
  );
});

test('credentials: service needs a list of projects, which may be empty', (t) => {
  const [missing] = problemsOf(load(t, 'kafka: { credentials: service }'));
  assert.match(missing ?? '', /^auth\.projects: is missing: /);
  // Whoever removes the last project means that nobody may log in.
  for (const auth of ['auth: { projects: [] }', 'auth:\n  projects:\n']) {
    const config = valid(load(t, `kafka: { credentials: service }\n${auth}`));
    assert.deepEqual(config.auth.projects, []);
  }
});

test('keys of projects are complete in the result', (t) => {
  const config = valid(
    load(
      t,
      `auth: { projects: [{ id: p, keys: [{ kind: access, sha256: ${digest} }] }, { id: q }] }`,
    ),
  );
  assert.deepEqual(config.auth.projects, [
    {
      id: 'p',
      keys: [
        {
          name: null,
          kind: 'access',
          sha256: digest,
          topics: null,
          permitted: [],
          active: true,
          filter: [],
        },
      ],
    },
    { id: 'q', keys: [] },
  ]);
});

test('projects that could not be told apart are refused', (t) => {
  const twice = `
auth:
  projects:
    - { id: p, keys: [{ kind: read, sha256: ${digest} }, { kind: master, sha256: ${digest} }] }
    - { id: p, keys: [{ kind: read, sha256: ${digest}, filters: [{ a: 1 }], permitted: [queries] }] }
`;
  assert.deepEqual(problemsOf(load(t, twice)), [
    'auth.projects[0].keys[1].sha256: is the same as that of auth.projects[0].keys[0] (line 4)',
    'auth.projects[1].id: is the same as that of auth.projects[0] (line 5)',
    'auth.projects[1].keys[0].filters: is for keys of kind access only (line 5)',
    'auth.projects[1].keys[0].permitted: is for keys of kind access only (line 5)',
  ]);
});

/** A file with an access key. @param permitted as it is written */
function permitting(permitted: string): string {
  return `
auth:
  projects:
    - id: p
      keys:
        - kind: access
          sha256: ${digest}
          permitted: ${permitted}
`;
}

test('an access key permits what analytics services know, and an unknown operation is refused with the nearest', (t) => {
  const [project] = valid(
    load(t, permitting('[queries, writes, saved_queries, cached_queries, datasets, schema]')),
  ).auth.projects;
  assert.equal(project?.keys[0]?.permitted.length, 6);
  assert.deepEqual(problemsOf(load(t, permitting('[writes, quries, Queries]'))), [
    'auth.projects[0].keys[0].permitted[1]: unknown operation; the nearest known one is queries (line 8)',
    'auth.projects[0].keys[0].permitted[2]: unknown operation; the nearest known one is queries (line 8)',
  ]);
});

test('projects that would share topics are refused', (t) => {
  const service = (template: string, ids: readonly string[]): LoadedConfig =>
    load(
      t,
      `kafka: { credentials: service, topicTemplate: "${template}" }
auth: { projects: [${ids.map((id) => `{ id: "${id}" }`).join(', ')}] }`,
    );
  const [shared] = problemsOf(service('{topic}', ['p', 'q']));
  assert.match(
    shared ?? '',
    /^kafka\.topicTemplate: lacks \{projectId\}: .* would share their topics/,
  );
  valid(service('{topic}', ['p']));
  valid(service('{projectId}.{topic}', ['p', 'q']));
  const [ambiguous] = problemsOf(service('{projectId}.{topic}', ['p', 'p.q']));
  assert.match(ambiguous ?? '', /^auth\.projects\[1\]\.id: must not contain `\.`/);
  const [unknown] = problemsOf(service('{project}.{topic}', ['p']));
  assert.match(unknown ?? '', /^kafka\.topicTemplate: .*\(line 1\)$/);
});

test('a login needs what its mechanism needs, and nothing else', (t) => {
  const sasl = (fields: string): string[] =>
    load(t, `kafka: { sasl: { ${fields} } }`).problems.map(
      ({ path, message }) => `${path}: ${message}`,
    );
  assert.deepEqual(sasl('mechanism: PLAIN'), [
    'kafka.sasl.username: is missing: PLAIN needs it',
    'kafka.sasl.passwordFile: is missing: PLAIN needs it, or kafka.sasl.password',
  ]);
  assert.deepEqual(sasl('username: u, password: p'), ['kafka.sasl.mechanism: is missing']);
  assert.deepEqual(sasl('mechanism: OAUTHBEARER, username: u'), [
    'kafka.sasl.username: is not used with OAUTHBEARER',
    'kafka.sasl.tokenFile: is missing: OAUTHBEARER needs it',
  ]);
  assert.deepEqual(sasl('mechanism: PLAIN, username: u, password: p'), []);
  assert.deepEqual(sasl('mechanism: PLAIN, username: 12, password: p'), [
    'kafka.sasl.username: expected text; put the value in quotes',
  ]);
  assert.deepEqual(sasl('mechanism: PLAYN, username: u'), [
    'kafka.sasl.mechanism: expected one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER',
  ]);
});

test('secrets come from files beside the configuration, without their last newline', async (t) => {
  const yaml = `
kafka:
  credentials: service
  ssl: { caFile: ca.pem, servername: kafka.internal }
  sasl: { mechanism: SCRAM-SHA-512, username: bridge, passwordFile: password }
cursors: { secretFile: secret }
auth: { projects: [] }
`;
  const file = configFile(t, yaml, {
    'ca.pem': '-----BEGIN CERTIFICATE-----\n',
    password: 'pass word\n',
    secret: `${'s'.repeat(32)}\r\n`,
  });
  const config = valid(loadConfig({ file, env }));
  assert.deepEqual(config.kafka.ssl, {
    ca: '-----BEGIN CERTIFICATE-----',
    servername: 'kafka.internal',
  });
  assert.deepEqual(config.kafka.sasl, {
    mechanism: 'SCRAM-SHA-512',
    username: 'bridge',
    password: 'pass word',
  });
  assert.equal(config.cursors.secret, 's'.repeat(32));
});

test('the token of OAUTHBEARER is read afresh for every login', async (t) => {
  const file = configFile(t, 'kafka: { sasl: { mechanism: OAUTHBEARER, tokenFile: token } }', {
    token: 'first\n',
  });
  const { sasl } = valid(loadConfig({ file, env })).kafka;
  assert.ok(sasl?.mechanism === 'OAUTHBEARER');
  assert.equal(await sasl.token(), 'first');
  await writeFile(join(file, '..', 'token'), 'second');
  assert.equal(await sasl.token(), 'second');
});

test('a file that cannot be used is a problem of its setting', (t) => {
  const yaml = `kafka:
  ssl: { caFile: no-ca.pem, certFile: cert.pem }
  sasl: { mechanism: PLAIN, username: u, password: p, passwordFile: empty }
cursors: { secretFile: short }
`;
  const file = configFile(t, yaml, { 'cert.pem': 'x', empty: '\n', short: 'too short' });
  const problems = problemsOf(loadConfig({ file, env }));
  const expected = [
    /^kafka\.ssl\.keyFile: is missing: .*/,
    /^kafka\.ssl\.caFile: cannot be read: ENOENT.*no-ca\.pem.* \(line 2\)$/,
    /^kafka\.sasl\.passwordFile: is given, and kafka\.sasl\.password as well: leave one out \(line 3\)$/,
    /^kafka\.sasl\.passwordFile: .*empty is empty \(line 3\)$/,
    /^cursors\.secretFile: has 9 characters; at least 32 are needed.* \(line 4\)$/,
  ];
  assert.equal(problems.length, expected.length, problems.join('\n'));
  for (const [index, pattern] of expected.entries()) assert.match(problems[index] ?? '', pattern);
});

test('TLS can be switched by variables alone', () => {
  const ssl = (environment: Environment): unknown =>
    valid(loadConfig({ env: { ...env, ...environment } })).kafka.ssl;
  assert.deepEqual(ssl({ MILLRACE_KAFKA_SSL: 'true' }), {});
  assert.deepEqual(ssl({ MILLRACE_KAFKA_SSL_SERVERNAME: 'k' }), { servername: 'k' });
  assert.equal(ssl({ MILLRACE_KAFKA_SSL: 'false', MILLRACE_KAFKA_SSL_SERVERNAME: 'k' }), false);
  assert.deepEqual(problemsOf(loadConfig({ env: { ...env, MILLRACE_KAFKA_SSL: 'yes' } })), [
    'kafka.ssl: expected true or false (MILLRACE_KAFKA_SSL)',
  ]);
});

test('origins are exact', (t) => {
  for (const origin of ['*', 'https://a.example/', 'https://a.example:443', 'a.example', 'null']) {
    const [problem] = problemsOf(load(t, `http: { allowedOrigins: ["${origin}"] }`));
    assert.match(problem ?? '', /^http\.allowedOrigins\[0\]: expected an exact origin/, origin);
  }
});

test('no message shows a secret', (t) => {
  const secret = 'hunter2hunter2';
  const { problems, warnings } = load(
    t,
    `kafka:
  credentials: nonsense
  sasl: { mechanism: OAUTHBEARER, username: u, password: ${secret}, passwordFile: nowhere }
cursors: { secret: ${secret} }
`,
  );
  assert.ok(problems.length >= 4);
  assert.doesNotMatch([...problems, ...warnings].map(formatProblem).join('\n'), /hunter2/);
});

test('what is unlikely to be meant is a warning', (t) => {
  const loaded = load(
    t,
    `kafka: { brokers: ["kafka.example:9092"], loginProbeInterval: 10s, sasl: { mechanism: PLAIN, username: u, password: p } }
auth: { projects: [] }
limits: { recentBytes: 32MiB, answerBytesPerProject: 16MiB }`,
    {},
  );
  valid(loaded);
  assert.deepEqual(
    loaded.warnings.map(({ path }) => path),
    ['kafka.sasl', 'auth.projects', 'kafka.ssl', 'limits.recentBytes', 'kafka.loginProbeInterval'],
  );
});

test('the result is frozen throughout', (t) => {
  const config = valid(load(t, 'topics: { overrides: { orders: { id: order_id } } }'));
  const assertFrozen = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    assert.ok(Object.isFrozen(value));
    Object.values(value).forEach(assertFrozen);
  };
  assertFrozen(config);
});

test('a topic has its overrides over the defaults, under any of its names', (t) => {
  const config = valid(
    load(
      t,
      `topics:
  defaults: { lateness: 5s }
  overrides: { "$my collection$ %": { id: order_id, maxHeldBytes: 1MiB } }`,
    ),
  );
  assert.deepEqual(topicConfig(config, 'other'), config.topics.defaults);
  for (const name of ['$my collection$ %', '_my_collection___']) {
    const { id, latenessMs, maxHeldBytes } = topicConfig(config, name);
    assert.deepEqual([id, latenessMs, maxHeldBytes], ['order_id', 5_000, 1_048_576]);
  }
  assert.deepEqual(topicConfig(config, '__proto__'), config.topics.defaults);
});

function tooShort(lateness: string, window: string): string {
  return `copies of an event that are both within lateness (${lateness}) must be within dedupWindow (${window}), which is shorter`;
}

test('a window of de-duplication that is shorter than the lateness is told where it is written', (t) => {
  const yaml = `
topics:
  defaults: { lateness: 1m, dedupWindow: 59s }
  overrides:
    off: { dedupWindow: 0s }
    equal: { dedupWindow: 1m }
    inherits: { order: ARRIVAL }
    longer: { lateness: 2m }
`;
  assert.deepEqual(problemsOf(load(t, yaml)), [
    `topics.defaults.dedupWindow: ${tooShort('1m', '59s')} (line 3)`,
    `topics.overrides.off.dedupWindow: ${tooShort('1m', '0')} (line 5)`,
    `topics.overrides.longer.lateness: ${tooShort('2m', '59s')} (line 8)`,
  ]);
});

const service = {
  ...env,
  MILLRACE_KAFKA_CREDENTIALS: 'service',
  MILLRACE_AUTH_PROJECTS: `[{ id: p, keys: [{ kind: read, sha256: ${digest} }] }]`,
};

function keyWithFilters(filters: string, mode: string): Environment {
  return {
    ...service,
    MILLRACE_AUTH_ACCESS_KEY_FILTERS: mode,
    MILLRACE_AUTH_PROJECTS: `[{ id: p, keys: [{ kind: access, sha256: ${digest}, permitted: [queries], filters: ${filters} }] }]`,
  };
}

function filterOf(filters: string, mode: string) {
  return valid(loadConfig({ env: keyWithFilters(filters, mode) })).auth.projects[0]?.keys[0]
    ?.filter;
}

test('filters of access keys are refused, whatever they are, or enforced', () => {
  assert.equal(filterOf('[{ anything: 1 }]', 'refuse'), null);
  assert.deepEqual(filterOf('[]', 'refuse'), []);
  const both =
    '[{ property_name: user.id, operator: eq, property_value: 7 }, { property: a, operator: EXISTS }, { property: b, value: x }]';
  assert.deepEqual(filterOf(both, 'enforce'), [
    { property: 'user.id', operator: 'EQ', value: 7 },
    { property: 'a', operator: 'EXISTS' },
    { property: 'b', operator: 'EQ', value: 'x' },
  ]);
});

test('filters that cannot be enforced are problems when they are to be', () => {
  const where = 'MILLRACE_AUTH_PROJECTS';
  const path = 'auth.projects[0].keys[0].filters[1]';
  for (const [filter, message] of [
    [
      '{ property_name: a, operator: within, property_value: 1 }',
      'cannot be enforced: its operator is within, and only eq, ne, gt, gte, lt, lte, in, exists, contains can',
    ],
    [
      '{ property_name: a, operator: in, property_value: 1 }',
      'needs a list of one or more values for IN',
    ],
    [
      '{ property_name: a, operator: eq, property_value: 1, or: [] }',
      'has an unknown key "or"; known are `property`, `operator`, `value`',
    ],
    ['{ operator: EQ, value: 1 }', 'needs a `property`: a dotted path such as `user.id`'],
    ['7', 'must be an object with `property`, `operator` and `value`'],
  ] as const) {
    const filters = `[{ property: fine, value: 1 }, ${filter}]`;
    assert.deepEqual(problemsOf(loadConfig({ env: keyWithFilters(filters, 'enforce') })), [
      `${path}: ${message} (${where})`,
    ]);
  }
});

test('trusted issuers are complete in the result, with their keys read', (t) => {
  const { publicKey } = generateKeyPairSync('ed25519');
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const secret = 's'.repeat(32);
  const yaml = `tokens:
  secret: ${'t'.repeat(32)}
  maxExpiresIn: 1h
  trusted:
    - { project: p, secretFile: secret }
    - { project: p, issuer: i, audience: a, publicKeyFile: public.pem }
    - { project: p, issuer: i, audience: a, jwksUrl: "https://i.example/keys" }
`;
  const file = configFile(t, yaml, { secret: `${secret}\n`, 'public.pem': pem });
  assert.deepEqual(valid(loadConfig({ file, env: service })).tokens, {
    secret: 't'.repeat(32),
    maxExpiresInMs: 3_600_000,
    trusted: [
      { project: 'p', issuer: null, audience: null, key: { kind: 'secret', secret } },
      { project: 'p', issuer: 'i', audience: 'a', key: { kind: 'publicKey', pem: pem.trimEnd() } },
      {
        project: 'p',
        issuer: 'i',
        audience: 'a',
        key: { kind: 'jwks', url: 'https://i.example/keys' },
      },
    ],
  });
});

test('issuers that cannot be trusted are problems', (t) => {
  const { privateKey } = generateKeyPairSync('ed25519');
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1_024 });
  const beside = {
    short: 'short',
    'private.pem': privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    'weak.pem': publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    'no.pem': 'no key',
  };
  const problemsWith = (issuer: string, environment: Environment): string[] => {
    const file = configFile(t, `tokens: { trusted: [${issuer}] }`, beside);
    return problemsOf(loadConfig({ file, env: environment }));
  };
  for (const [issuer, ...patterns] of [
    ['{ project: p }', /trusted\[0\]: needs one of secretFile, publicKeyFile, jwksUrl, and has 0/],
    [
      '{ project: p, issuer: i, audience: a, secretFile: private.pem, jwksUrl: "https://a.example" }',
      /and has 2/,
    ],
    ['{ project: p, secretFile: short }', /secretFile: has 5 characters; at least 32/],
    ['{ project: p, publicKeyFile: private.pem }', /publicKeyFile: is a private key/],
    ['{ project: p, publicKeyFile: weak.pem }', /publicKeyFile: is of no kind/],
    ['{ project: p, publicKeyFile: no.pem }', /publicKeyFile: is no public key in PEM/],
    [
      '{ project: p, jwksUrl: "https://a.example" }',
      /\.issuer: is missing/,
      /\.audience: is missing/,
    ],
    [
      '{ project: p, issuer: i, audience: a, jwksUrl: "http://a.example" }',
      /jwksUrl: expected an https URL/,
    ],
  ] as const) {
    const problems = problemsWith(issuer, service);
    assert.equal(problems.length, patterns.length, problems.join('\n'));
    for (const [index, pattern] of patterns.entries()) assert.match(problems[index] ?? '', pattern);
  }
  assert.match(
    problemsWith('{ project: p, secretFile: private.pem }', env).join(),
    /^tokens\.trusted: needs kafka\.credentials: service/,
  );
});

test('an issuer for a project that is not there is no problem, but said', (t) => {
  const file = configFile(t, 'tokens: { trusted: [{ project: q, secretFile: secret }] }', {
    secret: 's'.repeat(32),
  });
  const loaded = loadConfig({ file, env: service });
  valid(loaded);
  assert.deepEqual(loaded.warnings.map(formatProblem), [
    'tokens.trusted[0].project: is not in auth.projects: its tokens are refused (line 1)',
  ]);
});

function accessKey(digit: string, rest: string): string {
  return `{ kind: access, sha256: a${digit.repeat(63)}, ${rest} }`;
}

test('access keys that can never read are a warning, one for all of a kind', (t) => {
  const warningsOf = (keys: string, more = '', credentials = 'service'): string[] => {
    const loaded = load(t, `auth:\n  ${more}\n  projects: [{ id: p, keys: [${keys}] }]\n`, {
      ...env,
      MILLRACE_KAFKA_CREDENTIALS: credentials,
    });
    valid(loaded);
    return loaded.warnings.map(formatProblem);
  };
  const filter = '{ property: a, operator: EQ, value: 1 }';
  const inOrder = [
    accessKey('0', 'permitted: [queries]'),
    accessKey('1', 'permitted: [writes]'),
    accessKey('2', 'active: false'),
    `{ kind: read, sha256: ${digest} }`,
  ];
  assert.deepEqual(warningsOf(inOrder.join()), []);

  const blind = [...inOrder, accessKey('4', ''), accessKey('5', 'permitted: []')].join();
  assert.deepEqual(warningsOf(blind), [
    'auth.projects[0].keys[4].permitted: is empty: without queries in it an access key may not read; so it is with 1 more (line 3)',
  ]);

  const filtered = accessKey('6', `permitted: [queries], filters: [${filter}]`);
  assert.deepEqual(warningsOf(filtered), [
    'auth.projects[0].keys[0].filters: keeps the access key from reading with auth.accessKeyFilters: refuse; enforce was meant? (line 3)',
  ]);
  assert.deepEqual(warningsOf(filtered, 'accessKeyFilters: enforce'), []);
  assert.deepEqual(
    warningsOf(`${blind}, ${filtered}`, '', 'client').map((line) => line.slice(0, 13)),
    ['auth.projects'],
    'with kafka.credentials: client none of the list has an effect',
  );
});
