import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { KeyConfig, ProjectConfig } from '../config/schema.ts';
import type { MillraceError } from '../core/errors.ts';
import type { KafkaSasl } from '../kafka/port.ts';
import type { Authenticator, Credentials, Principal, PrincipalKey } from './principal.ts';
import { changedKey, forbidden, revokedKey, unknownCredentials } from './refusals.ts';
import { Revocation, type RevocationSignal } from './revocation.ts';
import { assertReadable } from './topic-permission.ts';

/** A configured key: who logs in with it, or why nobody may. */
interface KeyEntry {
  readonly digest: Buffer;
  /** Equal for keys that may do the same. */
  readonly rights: string;
  readonly outcome: ConfiguredPrincipal | MillraceError;
}

/**
 * Decides by the configured list of projects and keys (`kafka.credentials: service`).
 *
 * Keys are found under a keyed hash of project id and digest. So an unknown project and a wrong key
 * take the same steps, and how long a look-up takes says nothing about what is in the list.
 */
export class ServiceAuthenticator implements Authenticator {
  readonly #login: KafkaSasl | null;
  readonly #tagKey = randomBytes(32);
  /** Compared with where there is no entry; no key has this digest. */
  readonly #decoy = randomBytes(32);
  #entries: ReadonlyMap<string, KeyEntry> = new Map();

  /** @param login the service's own login to Kafka, for all principals */
  constructor(projects: readonly ProjectConfig[], login: KafkaSasl | null) {
    this.#login = login;
    this.update(projects);
  }

  async authenticate({ projectId, key }: Credentials): Promise<Principal> {
    const digest = createHash('sha256').update(key).digest();
    const entry = this.#entries.get(this.#tagOf(projectId, digest));
    const matches = timingSafeEqual(entry?.digest ?? this.#decoy, digest);
    if (entry === undefined || !matches) throw unknownCredentials();
    if (!(entry.outcome instanceof ConfiguredPrincipal)) throw entry.outcome;
    return entry.outcome;
  }

  /**
   * Takes over a changed list. Principals of keys that were removed, or that may do something else
   * now, are revoked before this returns; all others are left alone.
   */
  update(projects: readonly ProjectConfig[]): void {
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

  #carryOver(
    former: KeyEntry | undefined,
    projectId: string,
    key: KeyConfig,
    digest: Buffer,
  ): KeyEntry {
    const { name, sha256: _, ...rightsOfKey } = key;
    const rights = JSON.stringify(rightsOfKey);
    if (former?.rights === rights) {
      if (former.outcome instanceof ConfiguredPrincipal) former.outcome.rename(name);
      return former;
    }
    const refusal = refusalOf(key);
    const outcome =
      refusal === null
        ? new ConfiguredPrincipal(projectId, principalKeyOf(key), this.#login)
        : forbidden(refusal);
    return { digest, rights, outcome };
  }

  #tagOf(projectId: string, digest: Buffer): string {
    // The digest has a fixed length, so no two pairs are the same text.
    return createHmac('sha256', this.#tagKey).update(digest).update(projectId).digest('base64');
  }
}

/** Why this key may not read at all; `null`: it may. */
function refusalOf({ kind, active, permitted, filters }: KeyConfig): string | null {
  if (!active) return 'this key is not active';
  if (kind === 'write') return 'write keys cannot read';
  if (kind !== 'access') return null;
  if (filters.length > 0) return 'this access key has filters';
  if (!permitted.includes('queries')) return 'this access key does not permit queries';
  return null;
}

function principalKeyOf({ name, kind, topics }: KeyConfig): PrincipalKey {
  const kinds = { master: 'MASTER', read: 'READ', write: 'READ', access: 'ACCESS' } as const;
  return { name, kind: kinds[kind], topics };
}

class ConfiguredPrincipal implements Principal {
  readonly projectId: string;
  readonly login: KafkaSasl | null;
  /** One login for all. */
  readonly loginId = 'service';
  readonly #revocation = new Revocation();
  #key: PrincipalKey;

  constructor(projectId: string, key: PrincipalKey, login: KafkaSasl | null) {
    this.projectId = projectId;
    this.#key = key;
    this.login = login;
  }

  get key(): PrincipalKey {
    return this.#key;
  }

  get revoked(): RevocationSignal {
    return this.#revocation;
  }

  mayRead(topic: string): void {
    assertReadable(this.#key, topic);
  }

  retain(): () => void {
    this.revoked.throwIfAborted();
    return () => {};
  }

  rename(name: string | null): void {
    if (name !== this.#key.name) this.#key = { ...this.#key, name };
  }

  revoke(reason: MillraceError): void {
    this.#revocation.abort(reason);
  }
}
