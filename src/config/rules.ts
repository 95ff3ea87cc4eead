import { isIP } from 'node:net';
import { filterLimits } from '../decode/property-filter.ts';
import { projectIdProblem } from '../decode/topic-name.ts';
import { accessCondition } from './access-filter.ts';
import type { Written } from './config.ts';
import { formatDurationMs } from './quantity.ts';
import type { WrittenKey, WrittenProject } from './schema.ts';

/** Tells what is wrong at a path. */
export type Report = (path: string, message: string) => void;

/** What no single setting can tell. Not run when one of the settings it reads is broken itself. */
export interface Rule {
  readonly reads: readonly string[];
  check(written: Written, report: Report): void;
}

interface Window {
  readonly latenessMs: number;
  readonly dedupWindowMs: number;
}

const issuerKeys = ['secretFile', 'publicKeyFile', 'jwksUrl'] as const;

/** Each of these makes a configuration unusable. */
export const rules: readonly Rule[] = [
  {
    reads: ['kafka.client', 'kafka.brokers'],
    check({ kafka }, report) {
      if (kafka.client !== 'embedded' && kafka.brokers.length === 0) {
        report('kafka.brokers', 'is missing: list at least one host:port');
      }
    },
  },
  {
    reads: ['kafka.credentials', 'auth.projects'],
    check({ kafka, auth }, report) {
      if (kafka.credentials === 'service' && auth.projects === null) {
        report(
          'auth.projects',
          'is missing: with kafka.credentials: service this list decides who may log in; `millrace hash-key` makes its digests',
        );
      }
    },
  },
  {
    reads: ['auth.projects'],
    check({ auth }, report) {
      const ids = new Map<string, number>();
      for (const [index, { id, keys }] of (auth.projects ?? []).entries()) {
        const path = `auth.projects[${index}]`;
        const first = ids.get(id);
        if (first === undefined) ids.set(id, index);
        else report(`${path}.id`, `is the same as that of auth.projects[${first}]`);

        const digests = new Map<string, number>();
        for (const [keyIndex, key] of keys.entries()) {
          const keyPath = `${path}.keys[${keyIndex}]`;
          const same = digests.get(key.sha256);
          if (same === undefined) digests.set(key.sha256, keyIndex);
          else report(`${keyPath}.sha256`, `is the same as that of ${path}.keys[${same}]`);
          if (key.kind === 'access') continue;
          // A filter that is silently ignored would show what it was meant to hide.
          if (key.filters.length > 0)
            report(`${keyPath}.filters`, 'is for keys of kind access only');
          if (key.permitted.length > 0) {
            report(`${keyPath}.permitted`, 'is for keys of kind access only');
          }
        }
      }
    },
  },
  {
    reads: ['auth.projects', 'auth.accessKeyFilters'],
    check({ auth }, report) {
      if (auth.accessKeyFilters !== 'enforce') return;
      for (const [index, { keys }] of (auth.projects ?? []).entries()) {
        for (const [keyIndex, { kind, filters }] of keys.entries()) {
          if (kind !== 'access') continue;
          const path = `auth.projects[${index}].keys[${keyIndex}].filters`;
          if (filters.length > filterLimits.conditions) {
            report(path, `has ${filters.length} filters; the limit is ${filterLimits.conditions}`);
          }
          for (const [filterIndex, filter] of filters.entries()) {
            const condition = accessCondition(filter);
            if (typeof condition === 'string') report(`${path}[${filterIndex}]`, condition);
          }
        }
      }
    },
  },
  {
    reads: ['kafka.credentials', 'tokens.trusted'],
    check({ kafka, tokens: { trusted } }, report) {
      if (kafka.credentials === 'client' && trusted.length > 0) {
        report(
          'tokens.trusted',
          'needs kafka.credentials: service: a token of somebody else holds no key to log in to Kafka with',
        );
      }
      for (const [index, issuer] of trusted.entries()) {
        const path = `tokens.trusted[${index}]`;
        const given = issuerKeys.filter((name) => issuer[name] !== null);
        if (given.length !== 1) {
          report(path, `needs one of ${issuerKeys.join(', ')}, and has ${given.length}`);
        }
        if (issuer.jwksUrl === null) continue;
        // Who publishes keys signs for others as well.
        for (const name of ['issuer', 'audience'] as const) {
          if (issuer[name] === null) {
            report(
              `${path}.${name}`,
              'is missing: with jwksUrl anybody’s tokens would be accepted',
            );
          }
        }
      }
    },
  },
  {
    reads: ['kafka.credentials', 'kafka.topicTemplate', 'auth.projects'],
    check({ kafka, auth }, report) {
      checkIsolation(kafka, auth.projects ?? [], report);
    },
  },
  {
    reads: ['listen.tls.certFile', 'listen.tls.keyFile'],
    check({ listen: { tls } }, report) {
      if (tls.certFile !== null && tls.keyFile === null) {
        report(
          'listen.tls.keyFile',
          'is missing: the certificate of listen.tls.certFile needs its key',
        );
      }
      if (tls.keyFile !== null && tls.certFile === null) {
        report(
          'listen.tls.certFile',
          'is missing: the key of listen.tls.keyFile needs its certificate',
        );
      }
    },
  },
  {
    reads: ['kafka.ssl', 'kafka.ssl.certFile', 'kafka.ssl.keyFile'],
    check({ kafka: { ssl } }, report) {
      if (ssl === false) return;
      if (ssl.certFile !== null && ssl.keyFile === null) {
        report(
          'kafka.ssl.keyFile',
          'is missing: the certificate of kafka.ssl.certFile needs its key',
        );
      }
      if (ssl.keyFile !== null && ssl.certFile === null) {
        report(
          'kafka.ssl.certFile',
          'is missing: the key of kafka.ssl.keyFile needs its certificate',
        );
      }
    },
  },
  {
    reads: ['kafka.sasl', 'kafka.sasl.mechanism'],
    check({ kafka: { sasl } }, report) {
      const { mechanism, password, ...others } = sasl;
      if (mechanism === null) {
        if (password !== null || Object.values(others).some((value) => value !== null)) {
          report('kafka.sasl.mechanism', 'is missing');
        }
        return;
      }
      const bearer = mechanism === 'OAUTHBEARER';
      for (const name of ['username', 'password', 'passwordFile'] as const) {
        if (bearer && sasl[name] !== null)
          report(`kafka.sasl.${name}`, `is not used with ${mechanism}`);
      }
      if (bearer) {
        if (sasl.tokenFile === null)
          report('kafka.sasl.tokenFile', `is missing: ${mechanism} needs it`);
        return;
      }
      if (sasl.tokenFile !== null) report('kafka.sasl.tokenFile', 'is for OAUTHBEARER only');
      if (sasl.username === null)
        report('kafka.sasl.username', `is missing: ${mechanism} needs it`);
      if (password === null && sasl.passwordFile === null) {
        report(
          'kafka.sasl.passwordFile',
          `is missing: ${mechanism} needs it, or kafka.sasl.password`,
        );
      }
    },
  },
  {
    reads: ['topics.defaults.lateness', 'topics.defaults.dedupWindow', 'topics.overrides'],
    check({ topics: { defaults, overrides } }, report) {
      const complain = (path: string, topic: Window): void => {
        if (topic.dedupWindowMs >= topic.latenessMs) return;
        report(
          path,
          `copies of an event that are both within lateness (${formatDurationMs(topic.latenessMs)}) must be within dedupWindow (${formatDurationMs(topic.dedupWindowMs)}), which is shorter`,
        );
      };
      complain('topics.defaults.dedupWindow', defaults);
      for (const [name, override] of Object.entries(overrides)) {
        const own = override.dedupWindowMs === undefined ? 'lateness' : 'dedupWindow';
        // What the defaults have wrong is told there.
        if (override.dedupWindowMs === undefined && override.latenessMs === undefined) continue;
        complain(`topics.overrides.${name}.${own}`, { ...defaults, ...override });
      }
    },
  },
];

/** Whether these settings keep the projects apart, so that none reads the topics of another. */
export function checkIsolation(
  kafka: Pick<Written['kafka'], 'credentials' | 'topicTemplate'>,
  projects: readonly { readonly id: string }[],
  report: Report,
): void {
  if (kafka.credentials !== 'service') return;
  if (projects.length > 1 && !kafka.topicTemplate.includes('{projectId}')) {
    report(
      'kafka.topicTemplate',
      `lacks {projectId}: with one login for all, the ${projects.length} projects would share their topics`,
    );
  }
  for (const [index, { id }] of projects.entries()) {
    const problem = projectIdProblem(kafka.topicTemplate, id);
    if (problem !== undefined) report(`auth.projects[${index}].id`, problem);
  }
}

/** Each of these may be meant, but more likely is not. */
export const warningRules: readonly Rule[] = [
  {
    reads: ['workers', 'kafka.client'],
    check({ workers, kafka }, report) {
      if (workers > 1 && kafka.client === 'embedded') {
        report('workers', 'is more than 1: with kafka.client: embedded each has a log of its own');
      }
    },
  },
  {
    reads: ['kafka.credentials', 'kafka.sasl', 'kafka.sasl.mechanism', 'auth.projects'],
    check({ kafka, auth }, report) {
      if (kafka.credentials !== 'client') return;
      if (kafka.sasl.mechanism !== null) {
        report('kafka.sasl', 'has no effect with kafka.credentials: client; service was meant?');
      }
      if (auth.projects !== null) {
        report('auth.projects', 'has no effect with kafka.credentials: client; service was meant?');
      }
    },
  },
  {
    reads: ['kafka.credentials', 'auth.projects', 'auth.accessKeyFilters'],
    check({ kafka, auth }, report) {
      if (kafka.credentials !== 'service') return;
      const keys = activeAccessKeys(auth.projects ?? []);
      const tell = (found: readonly AccessKey[], name: string, message: string): void => {
        const [first, ...others] = found;
        if (first === undefined) return;
        // One line for all: there may be tens of thousands.
        const more = others.length === 0 ? '' : `; so it is with ${others.length} more`;
        report(`${first.path}.${name}`, `${message}${more}`);
      };
      tell(
        keys.filter(({ permitted }) => permitted.length === 0),
        'permitted',
        'is empty: without queries in it an access key may not read',
      );
      if (auth.accessKeyFilters === 'enforce') return;
      tell(
        keys.filter(({ filters }) => filters.length > 0),
        'filters',
        'keeps the access key from reading with auth.accessKeyFilters: refuse; enforce was meant?',
      );
    },
  },
  {
    reads: ['kafka.credentials', 'auth.projects', 'tokens.trusted'],
    check({ kafka, auth, tokens }, report) {
      if (kafka.credentials !== 'service' || auth.projects === null) return;
      for (const [index, { project }] of tokens.trusted.entries()) {
        if (auth.projects.some(({ id }) => id === project)) continue;
        // No problem: a project is taken away from everybody by taking it out of the list.
        report(
          `tokens.trusted[${index}].project`,
          'is not in auth.projects: its tokens are refused',
        );
      }
    },
  },
  {
    reads: [
      'kafka.client',
      'kafka.brokers',
      'kafka.credentials',
      'kafka.ssl',
      'kafka.sasl.mechanism',
    ],
    check({ kafka }, report) {
      const plain = kafka.credentials === 'client' || kafka.sasl.mechanism === 'PLAIN';
      const far = kafka.brokers.find((broker) => !isLoopback(broker));
      if (kafka.client !== 'embedded' && plain && kafka.ssl === false && far !== undefined) {
        report('kafka.ssl', `is false: keys and passwords travel to ${far} in the clear`);
      }
    },
  },
  {
    reads: ['limits.recentBytes', 'limits.answerBytesPerProject'],
    check({ limits }, report) {
      if (limits.recentBytes > limits.answerBytesPerProject) {
        report(
          'limits.recentBytes',
          `is above limits.answerBytesPerProject (${limits.answerBytesPerProject}): answers of such a size are refused`,
        );
      }
    },
  },
  {
    reads: ['kafka.credentials', 'kafka.loginProbeInterval'],
    check({ kafka }, report) {
      if (kafka.credentials === 'client' && kafka.loginProbeIntervalMs > 4_000) {
        report(
          'kafka.loginProbeInterval',
          'is above 4s: subscriptions may outlive a revoked key by more than 5 seconds',
        );
      }
    },
  },
];

type AccessKey = WrittenKey & { readonly path: string };

/** With the place of each. */
function activeAccessKeys(projects: readonly WrittenProject[]): AccessKey[] {
  return projects.flatMap(({ keys }, index) =>
    keys.flatMap((key, keyIndex) =>
      key.kind === 'access' && key.active
        ? [{ ...key, path: `auth.projects[${index}].keys[${keyIndex}]` }]
        : [],
    ),
  );
}

function isLoopback(broker: string): boolean {
  const host = broker.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1');
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
