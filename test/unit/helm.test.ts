import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { configFile } from '../support/config-file.ts';

/* What helm makes of the chart, where helm is installed: nothing else here needs it. */

const chart = fileURLToPath(new URL('../../deploy/helm/millrace', import.meta.url));
/** Helm asks no cluster here; the oldest that the chart is for. */
const kubeVersion = ['--kube-version', '1.27.0'];
const skip = run('version').failed ? 'helm is not installed' : false;

const everything = {
  replicaCount: 3,
  image: { repository: 'registry.example.com/millrace', tag: '1.0' },
  imagePullSecrets: [{ name: 'registry' }],
  config: {
    listen: { tls: { certFile: '/etc/tls/tls.crt', keyFile: '/etc/tls/tls.key' } },
    kafka: { brokers: ['kafka.example.com:9093'], ssl: true, credentials: 'service' },
    workers: 3,
  },
  secrets: { cursors: '0123456789' },
  env: [{ name: 'MILLRACE_LISTEN_HOST', value: '::' }],
  volumes: [{ name: 'tls', secret: { secretName: 'tls' } }],
  volumeMounts: [{ name: 'tls', mountPath: '/etc/tls', readOnly: true }],
  service: { type: 'LoadBalancer', annotations: { internal: 'true' } },
  ingress: { enabled: true, className: 'nginx', host: 'events.example.com', tlsSecretName: 'tls' },
  autoscaling: { enabled: true, connections: 1_000_000 },
  podAnnotations: { note: 'yes' },
  nodeSelector: { disk: 'ssd' },
  tolerations: [{ key: 'only', operator: 'Exists' }],
  affinity: { nodeAffinity: {} },
} as const;

function run(...args: readonly string[]): { failed: boolean; output: string } {
  const { error, status, stdout, stderr } = spawnSync('helm', args, { encoding: 'utf8' });
  if (error !== undefined) return { failed: true, output: error.message };
  return { failed: status !== 0, output: stdout + stderr };
}

function template(t: TestContext, values: object, release = 'one') {
  // JSON is YAML.
  const file = configFile(t, JSON.stringify(values));
  return run('template', release, chart, '--values', file, ...kubeVersion);
}

/** What is made with these values, by kind. */
function objects(t: TestContext, values: object, release?: string) {
  const { failed, output } = template(t, values, release);
  assert.ok(!failed, output);
  const documents = parseAllDocuments(output, { version: '1.1', uniqueKeys: true });
  return new Map(
    documents.map((document) => {
      assert.deepEqual(document.errors, []);
      const object = document.toJS();
      return [object.kind, object];
    }),
  );
}

test('helm finds nothing wrong with the chart', { skip }, (t) => {
  const { failed, output } = run('lint', '--strict', chart);
  assert.ok(!failed, output);
  const withAll = run('lint', '--strict', chart, '-f', configFile(t, JSON.stringify(everything)));
  assert.ok(!withAll.failed, withAll.output);
});

test('each part of the chart is there when it is wanted', { skip }, (t) => {
  const kinds = (values: object) => new Set(objects(t, values).keys());
  const always = ['ConfigMap', 'Deployment', 'Service'];
  const byDefault = [...always, 'PodDisruptionBudget', 'Secret'];
  assert.deepEqual(kinds({}), new Set(byDefault));
  assert.deepEqual(
    kinds(everything),
    new Set([...byDefault, 'HorizontalPodAutoscaler', 'Ingress']),
  );
  const least = { existingSecret: 'mine', podDisruptionBudget: { enabled: false } };
  assert.deepEqual(kinds(least), new Set(always));
});

test('everything that may be wanted comes to where it belongs', { skip }, (t) => {
  const made = objects(t, everything);
  const { replicas, template: pod } = made.get('Deployment').spec;
  assert.equal(replicas, undefined, 'the autoscaler has it');
  const [container] = pod.spec.containers;
  assert.equal(container.image, 'registry.example.com/millrace:1.0');
  for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
    assert.equal(container[probe].httpGet.scheme, 'HTTPS');
  }
  assert.deepEqual(
    container.env.filter(({ name }: { name: string }) => name === 'MILLRACE_LISTEN_HOST'),
    [{ name: 'MILLRACE_LISTEN_HOST', value: '::' }],
  );
  const options = container.env.find(({ name }: { name: string }) => name === 'NODE_OPTIONS');
  assert.equal(options.value, '--max-old-space-size-percentage=25');
  const unlimited = objects(t, { resources: { limits: null } }).get('Deployment').spec.template;
  assert.doesNotMatch(JSON.stringify(unlimited), /NODE_OPTIONS/);
  assert.equal(pod.spec.volumes.length, 3);
  const { metrics } = made.get('HorizontalPodAutoscaler').spec;
  assert.equal(metrics[0].pods.target.averageValue, '1000000');
  assert.equal(made.get('Secret').stringData.cursors, '0123456789');
});

test('pods are made anew for what is not applied as it comes', { skip }, (t) => {
  const podOf = (config: object) =>
    objects(t, { config }).get('Deployment').spec.template.metadata.annotations;
  const first = podOf({});
  assert.deepEqual(podOf({ auth: { projects: [] } }), first);
  assert.notDeepEqual(podOf({ kafka: { brokers: ['elsewhere:9092'] } }), first);
});

test('a release may have any name that helm takes', { skip }, (t) => {
  for (const release of ['123', '1e5', 'true', 'a.b', 'millrace', 'x'.repeat(53)]) {
    const { metadata, spec } = objects(t, {}, release).get('Deployment');
    assert.match(metadata.name, /^[a-z0-9][-a-z0-9]{0,61}[a-z0-9]$/);
    assert.equal(spec.selector.matchLabels['app.kubernetes.io/instance'], release);
  }
});

test('values that cannot be meant are refused', { skip }, (t) => {
  const both = template(t, { existingSecret: 'mine', secrets: { cursors: 'x' } });
  assert.ok(both.failed);
  assert.match(both.output, /not both/);
  const unknown = template(t, { replicas: 2 });
  assert.ok(unknown.failed);
  assert.match(unknown.output, /replicas/);
});
