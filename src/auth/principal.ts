import type { KafkaSasl } from '../kafka/port.ts';
import type { RevocationSignal } from './revocation.ts';

/** Who is connected: a project, by one of its keys. One object for all clients of a key. */
export interface Principal {
  readonly projectId: string;
  readonly key: PrincipalKey;
  /** The login to Kafka that reads for this principal; `null`: none is needed. */
  readonly login: KafkaSasl | null;
  /** Equal for equal logins, and reveals nothing of them. Good within this process only. */
  readonly loginId: string;
  /**
   * Aborted when the key is removed, changed or refused by the cluster; its `reason` is the
   * `MillraceError` to show. Watched at all times with configured keys, and while it is retained with
   * keys that the cluster decides about.
   */
  readonly revoked: RevocationSignal;
  /** @throws {MillraceError} `FORBIDDEN`: this key may not read that topic. */
  mayRead(topic: string): void;
  /**
   * Has `revoked` watched until the returned function is called. To be called for everything that
   * outlives a request, such as a subscription or a socket.
   *
   * @throws {MillraceError} the reason of `revoked`, if it has been aborted.
   */
  retain(): () => void;
}

export interface PrincipalKey {
  readonly name: string | null;
  readonly kind: 'MASTER' | 'READ' | 'ACCESS';
  /** The topics that it may read; `null`: all of its project. */
  readonly topics: readonly string[] | null;
}

/** What a client shows to be let in. */
export interface Credentials {
  readonly projectId: string;
  readonly key: string;
}

export interface Authenticator {
  /**
   * @throws {MillraceError} `UNAUTHENTICATED`: unknown project or wrong key, one answer for both;
   * `FORBIDDEN`: the key is right but may not read; `KAFKA_UNAVAILABLE`: it is the cluster that
   * decides, and it cannot be asked; `LIMIT_EXCEEDED`: too many logins are waiting.
   */
  authenticate(credentials: Credentials): Promise<Principal>;
  /** Stops watching. Principals that were given out stay as they are. */
  close(): void;
}
