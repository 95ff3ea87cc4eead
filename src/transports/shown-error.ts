import { errorTable, MillraceError } from '../core/errors.ts';

/** What a client may see of an error: all that is not meant for clients is masked. */
export function shownError(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  return new MillraceError('INTERNAL', errorTable.INTERNAL.summary);
}
