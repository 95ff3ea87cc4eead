import { MillraceError } from '../core/errors.ts';
import { traced } from '../observe/tracing.ts';
import type { Principal } from './principal.ts';

/** What came of credentials that were shown. `failed`: they could not be verified. */
export type LoginResult = 'ok' | 'refused' | 'failed';

/** Lets in whoever shows the right things. */
interface LetsIn<Shown> {
  authenticate(shown: Shown): Promise<Principal>;
}

/** The authenticator, with the result of each login told to `onLogin`, and a span for each. */
export function countedLogins<Shown>(
  authenticator: LetsIn<Shown>,
  onLogin: (result: LoginResult) => void,
): LetsIn<Shown> {
  return {
    async authenticate(credentials) {
      try {
        const login = () => authenticator.authenticate(credentials);
        const principal = await traced('millrace.authenticate', {}, login);
        onLogin('ok');
        return principal;
      } catch (error) {
        onLogin(isRefusal(error) ? 'refused' : 'failed');
        throw error;
      }
    },
  };
}

function isRefusal(error: unknown): boolean {
  if (!(error instanceof MillraceError)) return false;
  return error.code === 'UNAUTHENTICATED' || error.code === 'FORBIDDEN';
}
