/** The tenants of the demo, with keys that are no secret. millrace.yaml beside holds their digests. */
export interface DemoProject {
  readonly id: string;
  readonly keys: readonly DemoKey[];
}

export interface DemoKey {
  readonly name: string;
  readonly key: string;
  /** Why the server refuses it. */
  readonly refusal?: string;
}

const filtered = 'this access key has filters';
const written = 'write keys cannot read';

export const demoProjects = [
  {
    id: 'acme',
    keys: [
      { name: 'master', key: 'acme-master-5Tq0vYc2' },
      { name: 'read', key: 'acme-read-k3Jt9wQz' },
      { name: 'write', key: 'acme-write-Vd81nLxR', refusal: written },
      { name: 'access', key: 'acme-access-h6Bm4sEp', refusal: filtered },
    ],
  },
  {
    id: 'globex',
    keys: [
      { name: 'master', key: 'globex-master-Wn7r2GfK' },
      { name: 'read', key: 'globex-read-u9Xc5aTd' },
      { name: 'write', key: 'globex-write-Jz3o6HyQ', refusal: written },
      { name: 'access', key: 'globex-access-e1Pk8bMv', refusal: filtered },
    ],
  },
] as const satisfies readonly DemoProject[];

export const demoProjectIds = demoProjects.map(({ id }) => id);
