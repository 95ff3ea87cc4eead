import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { KeyConfig, ProjectConfig } from '../config/config.ts';
import type { MillraceError } from '../core/errors.ts';
import type { PropertyFilter } from '../decode/property-filter.ts';
import type { KafkaSasl } from '../kafka/port.ts';
import type { KeyAuthenticator, KeyCredentials, Principal, PrincipalKey } from './principal.ts';
import {
  changedKey,
  forbidden,
  removedProject,
  revokedKey,
  unknownCredentials,
} from './refusals.ts';
import { Revocation, type RevocationSignal } from './revocation.ts';
import { assertReadable } from './topic-permission.ts';

/** A configured key: who logs in with it, or why nobody may. */
interface KeyEntry {
  readonly digest: Buffer;
  readonly outcome: ConfiguredPrincipal | MillraceError;
}

/**
 * Decides by the configured list of projects and keys (`kafka.credentials: service`).
 *
 * Keys are found under a keyed hash of project id and digest. So an unknown project and a wrong key
 * take the same steps, and how long a look-up takes says nothing about what is in the list.
 */
export class ServiceAuthenticator implements KeyAuthenticator {
  readonly #login: KafkaSasl | null;
  readonly #tagKey = randomBytes(32);
  /** Compared with where there is no entry; no key has this digest. */
  readonly #decoy = randomBytes(32);
  #entries: ReadonlyMap<string, KeyEntry> = new Map();
  /** Who reads a project without any of its keys. */
  #projects: ReadonlyMap<string, ConfiguredPrincipal> = new Map();

  /** @param login the service's own login to Kafka, for all principals */
  constructor(projects: readonly ProjectConfig[], login: KafkaSasl | null) {
    this.#login = login;
    this.update(projects);
  }

  async authenticate({ projectId, key }: KeyCredentials): Promise<Principal> {
    return this.#find(projectId, createHash('sha256').update(key).digest());
  }

  /** The digest, with which nobody is let in otherwise. */
  referenceTo({ key }: KeyCredentials): string {
    return createHash('sha256').update(key).digest('base64url');
  }

  async resolve(projectId: string, reference: string): Promise<Principal> {
    const digest = Buffer.from(reference, 'base64url');
    if (digest.length !== this.#decoy.length) throw unknownCredentials();
    return this.#find(projectId, digest);
  }

  /**
   * Who may read all of the project, for tokens that are made outside.
   *
   * @throws {MillraceError} `UNAUTHENTICATED`: the project is not configured
   */
  project(projectId: string): Principal {
    const principal = this.#projects.get(projectId);
    if (principal === undefined) throw unknownCredentials();
    return principal;
  }

  #find(projectId: string, digest: Buffer): Principal {
    const entry = this.#entries.get(this.#tagOf(projectId, digest));
    const matches = timingSafeEqual(entry?.digest ?? this.#decoy, digest);
    if (entry === undefined || !matches) throw unknownCredentials();
    if (!(entry.outcome instanceof ConfiguredPrincipal)) throw entry.outcome;
    return entry.outcome;
  }

  /**
   * Takes over a changed list. Principals of keys that were removed, that may not read any more, or that see something
   * else of an event now, are revoked before this returns; all others are left alone. Those of keys that may read other
   * topics than before judge by the new ones from then on: what was opened with them is to be looked at again.
   */
  update(projects: readonly ProjectConfig[]): void {
    this.#updateProjects(projects);
    const former = this.#entries;
    const entries = new Map<string, KeyEntry>();
    for (const { id, keys } of projects) {
      for (const key of keys) {
        const digest = Buffer.from(key.sha256, 'hex');
        const tag = this.#tagOf(id, digest);
        entries.set(tag, this.#carryOver(former.get(tag), id, key, digest));
      }
    }
    this.#entries = entries;
    for (const [tag, { outcome }] of former) {
      const now = entries.get(tag)?.outcome;
      if (outcome === now || !(outcome instanceof ConfiguredPrincipal)) continue;
      if (now === undefined) outcome.revoke(revokedKey());
      else outcome.revoke(now instanceof ConfiguredPrincipal ? changedKey() : now);
    }
  }

  close(): void {
    // Nothing is under way here.
  }

  #updateProjects(projects: readonly ProjectConfig[]): void {
    const former = this.#projects;
    const now = projects.map(({ id }): [string, ConfiguredPrincipal] => [
      id,
      former.get(id) ?? new ConfiguredPrincipal(id, outsideKey, [], this.#login),
    ]);
    this.#projects = new Map(now);
    for (const [id, principal] of former) {
      if (!this.#projects.has(id)) principal.revoke(removedProject());
    }
  }

  #carryOver(
    former: KeyEntry | undefined,
    projectId: string,
    key: KeyConfig,
    digest: Buffer,
  ): KeyEntry {
    const outcome = this.#outcomeOf(projectId, key);
    const before = former?.outcome;
    if (!(before instanceof ConfiguredPrincipal) || !(outcome instanceof ConfiguredPrincipal)) {
      return { digest, outcome };
    }
    if (!isDeepStrictEqual(before.filter, outcome.filter)) return { digest, outcome };
    before.become(outcome.key);
    return { digest, outcome: before };
  }

  #outcomeOf(projectId: string, key: KeyConfig): KeyEntry['outcome'] {
    const refusal = refusalOf(key);
    if (refusal !== null) return forbidden(refusal);
    const { filter } = key;
    if (filter === null) return forbidden('this access key has filters');
    return new ConfiguredPrincipal(projectId, principalKeyOf(key), filter, this.#login);
  }

  #tagOf(projectId: string, digest: Buffer): string {
    // The digest has a fixed length, so no two pairs are the same text.
    return createHmac('sha256', this.#tagKey).update(digest).update(projectId).digest('base64');
  }
}

const outsideKey: PrincipalKey = { name: null, kind: 'READ', topics: null };

/** Why this key may not read at all, whatever its filters; `null`: it may. */
function refusalOf({ kind, active, permitted }: KeyConfig): string | null {
  if (!active) return 'this key is not active';
  if (kind === 'write') return 'write keys cannot read';
  if (kind !== 'access') return null;
  if (!permitted.includes('queries')) return 'this access key does not permit queries';
  return null;
}

function principalKeyOf({ name, kind, topics }: KeyConfig): PrincipalKey {
  const kinds = { master: 'MASTER', read: 'READ', write: 'READ', access: 'ACCESS' } as const;
  return { name, kind: kinds[kind], topics };
}

/** One for all who retain a configured key, as there may be tens of thousands. */
function nothingToGiveBack(): void {
  // It is watched at all times.
}

class ConfiguredPrincipal implements Principal {
  readonly projectId: string;
  readonly filter: readonly PropertyFilter[];
  readonly login: KafkaSasl | null;
  /** One login for all. */
  readonly loginId = 'service';
  readonly #revocation = new Revocation();
  #key: PrincipalKey;

  constructor(
    projectId: string,
    key: PrincipalKey,
    filter: readonly PropertyFilter[],
    login: KafkaSasl | null,
  ) {
    this.projectId = projectId;
    this.#key = key;
    this.filter = filter;
    this.login = login;
  }

  get key(): PrincipalKey {
    return this.#key;
  }

  get revoked(): RevocationSignal {
    return this.#revocation;
  }

  mayRead(topic: string): void {
    assertReadable('key', this.#key, topic);
  }

  retain(): () => void {
    this.revoked.throwIfAborted();
    return nothingToGiveBack;
  }

  /** It sees the same of each event as before, under another name or of other topics. */
  become(key: PrincipalKey): void {
    this.#key = key;
  }

  revoke(reason: MillraceError): void {
    this.#revocation.abort(reason);
  }
}
