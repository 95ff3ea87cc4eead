import type { PropertyFilter } from '../decode/property-filter.ts';
import type { KafkaSasl } from '../kafka/port.ts';
import type { RevocationSignal } from './revocation.ts';

/**
 * Who is connected: a project, by one of its keys or by a token. One object for all clients of a key; each
 * use of a token has its own.
 */
export interface Principal {
  readonly projectId: string;
  readonly key: PrincipalKey;
  /** What must hold of every event that is shown, whatever is asked for; empty: all may be. */
  readonly filter: readonly PropertyFilter[];
  /** The login to Kafka that reads for this principal; `null`: none is needed. */
  readonly login: KafkaSasl | null;
  /** Equal for equal logins, and reveals nothing of them. Good within this process only. */
  readonly loginId: string;
  /**
   * Aborted when the key is removed, changed or refused by the cluster, or the token has expired; its
   * `reason` is the `MillraceError` to show. Watched at all times with configured keys, and while it is
   * retained with tokens, and with keys that the cluster decides about.
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
export type Credentials = KeyCredentials | TokenCredentials;

export interface KeyCredentials {
  readonly projectId: string;
  readonly key: string;
}

export interface TokenCredentials {
  readonly token: string;
  /** It came in the URL, where logs and histories keep it: only a token for a single use may. */
  readonly inUrl: boolean;
}

/** Lets clients in, whatever they show. */
export interface Authenticator {
  /**
   * @throws {MillraceError} as `KeyAuthenticator`; also `UNAUTHENTICATED`: the token is not valid, has
   * expired or was used; `FORBIDDEN`: this token may not stand in a URL.
   */
  authenticate(credentials: Credentials): Promise<Principal>;
}

/** Lets in who shows a key. */
export interface KeyAuthenticator {
  /**
   * @throws {MillraceError} `UNAUTHENTICATED`: unknown project or wrong key, one answer for both;
   * `FORBIDDEN`: the key is right but may not read; `KAFKA_UNAVAILABLE`: it is the cluster that
   * decides, and it cannot be asked; `LIMIT_EXCEEDED`: too many logins are waiting.
   */
  authenticate(credentials: KeyCredentials): Promise<Principal>;
  /** What a token has to carry for any instance to find the key again. To be kept as secret as a key. */
  referenceTo(credentials: KeyCredentials): string;
  /**
   * The principal of the key that the reference is to.
   *
   * @throws {MillraceError} as `authenticate`
   */
  resolve(projectId: string, reference: string): Promise<Principal>;
  /** Stops watching. Principals that were given out stay as they are. */
  close(): void;
}
