import { MillraceError } from '../core/errors.ts';
import { KafkaError } from '../kafka/port.ts';

/** One answer for an unknown project and for a wrong key: nobody learns which projects exist. */
export function unknownCredentials(): MillraceError {
  return new MillraceError('UNAUTHENTICATED', 'unknown project or wrong key');
}

export function revokedKey(): MillraceError {
  return new MillraceError('UNAUTHENTICATED', 'this key has been revoked');
}

export function changedKey(): MillraceError {
  return new MillraceError('UNAUTHENTICATED', 'what this key may do has changed: connect again');
}

export function forbidden(reason: string): MillraceError {
  return new MillraceError('FORBIDDEN', reason);
}

/** The cluster said no. Everything else leaves open what it would say. */
export function isRefusal(error: unknown): boolean {
  return error instanceof KafkaError && error.code === 'AUTHENTICATION_FAILED';
}
