import { MillraceError } from '../core/errors.ts';
import { KafkaError } from '../kafka/port.ts';

/** One answer for an unknown project and for a wrong key: nobody learns which projects exist. */
export function unknownCredentials(): MillraceError {
  return new MillraceError('UNAUTHENTICATED', 'unknown project or wrong key');
}

export function revokedKey(): MillraceError {
  return new MillraceError('UNAUTHENTICATED', 'this key has been revoked');
}

export function removedProject(): MillraceError {
  return new MillraceError('UNAUTHENTICATED', 'this project has been removed');
}

export function changedKey(): MillraceError {
  return new MillraceError('UNAUTHENTICATED', 'what this key may do has changed: connect again');
}

export function expiredToken(): MillraceError {
  return new MillraceError('UNAUTHENTICATED', 'this token has expired');
}

export function usedToken(): MillraceError {
  return new MillraceError('UNAUTHENTICATED', 'this token was for a single use and has been used');
}

/** One answer for whatever is wrong with it: who made it knows, and nobody else needs to. */
export function invalidToken(cause?: unknown): MillraceError {
  return new MillraceError(
    'UNAUTHENTICATED',
    'this token is not valid here: get another one',
    {},
    { cause },
  );
}

/** Why a key is refused, for who shows a token that it made. */
export function refusedKeyOfToken(reason: MillraceError): MillraceError {
  const { code, message } = reason;
  if (code !== 'UNAUTHENTICATED' && code !== 'FORBIDDEN') return reason;
  const told = `the key that made this token is refused: ${message}`;
  return new MillraceError(code, told, {}, { cause: reason });
}

export function forbidden(reason: string): MillraceError {
  return new MillraceError('FORBIDDEN', reason);
}

/** The cluster said no. Everything else leaves open what it would say. */
export function isRefusal(error: unknown): boolean {
  return error instanceof KafkaError && error.code === 'AUTHENTICATION_FAILED';
}
