import { AuthenticationError, ProtocolError } from '@platformatic/kafka';
import { KafkaError } from '../port.ts';

/** No bearer token could be had: nothing that the cluster said of the login. */
export class TokenUnavailable extends Error {
  override readonly name = 'TokenUnavailable';
}

/** What the cluster answers when it refuses a login, rather than fails to judge it. */
const refusals: ReadonlySet<unknown> = new Set([
  'SASL_AUTHENTICATION_FAILED',
  'UNSUPPORTED_SASL_MECHANISM',
  'ILLEGAL_SASL_STATE',
]);

/**
 * What stands behind an error of the library, which wraps a refused login into a network error that
 * may be retried, and a connection lost amid a login into an authentication error.
 *
 * @param doing what was tried, for the message
 */
export function toKafkaError(error: unknown, doing: string): KafkaError {
  if (error instanceof KafkaError) return error;
  const causes = [...causesOf(error)];
  const refused = causes.some(
    (cause) => cause instanceof ProtocolError && refusals.has(cause['apiId']),
  );
  if (refused || isUnexplainedAuthenticationError(causes)) {
    return new KafkaError('AUTHENTICATION_FAILED', 'the cluster refused the login', {
      cause: error,
    });
  }
  const reason = causes.at(-1)?.message || causes.map((cause) => cause.message).find(Boolean);
  return new KafkaError('UNAVAILABLE', `${doing}: ${reason ?? String(error)}`, { cause: error });
}

/** Such as a server of SCRAM that does not know the password itself. */
function isUnexplainedAuthenticationError(causes: readonly Error[]): boolean {
  return causes.at(-1) instanceof AuthenticationError;
}

/** The error, its causes and its parts, from the outside in. */
function* causesOf(error: unknown): Generator<Error> {
  if (!(error instanceof Error)) return;
  yield error;
  if (error instanceof AggregateError) for (const part of error.errors) yield* causesOf(part);
  yield* causesOf(error.cause);
}
