import { GraphQLError } from 'graphql';
import { type ErrorCode, errorTable, MillraceError } from '../../core/errors.ts';
import type { Logger } from '../../observe/logger.ts';

/** Told of each error that a client is shown, with the limit if it is over one. */
export type OnShown = (code: string, limit: string | undefined) => void;

/**
 * Turns whatever was thrown into what a client may see: a code of the error table with its details,
 * or `INTERNAL`, with the cause in the server's log only. The same for every transport.
 */
export function createErrorMask(
  logger: Logger,
  onShown: OnShown = () => undefined,
): (error: unknown) => GraphQLError {
  /** What is masked already goes through unchanged, and is told once. */
  const told = new WeakSet<GraphQLError>();
  const mask = maskOf(logger);
  return (error) => {
    const shown = mask(error);
    if (told.has(shown)) return shown;
    told.add(shown);
    const { code, limit } = shown.extensions;
    onShown(String(code), typeof limit === 'string' ? limit : undefined);
    return shown;
  };
}

function maskOf(logger: Logger): (error: unknown) => GraphQLError {
  return (error) => {
    const original = error instanceof GraphQLError ? error.originalError : error;
    if (original instanceof MillraceError) return toGraphQLError(original, locationOf(error));
    if (error instanceof GraphQLError) {
      if (isErrorCode(error.extensions['code'])) return error;
      // Without an original error it was raised by parsing, validation or a scalar: the client's own.
      if (original === undefined || original === null || original instanceof GraphQLError) {
        return withExtensions(error, { code: codeOf(original) ?? 'BAD_USER_INPUT' });
      }
    }
    logger.error({ err: original ?? error }, 'unexpected fault while answering a client');
    return new GraphQLError(errorTable.INTERNAL.summary, {
      ...locationOf(error),
      extensions: { code: 'INTERNAL' },
    });
  };
}

export function toGraphQLError(
  error: MillraceError,
  location: ReturnType<typeof locationOf> = {},
): GraphQLError {
  return new GraphQLError(error.message, {
    ...location,
    extensions: { code: error.code, ...error.details },
  });
}

/** The same error with more extensions, or others in their place. */
export function withExtensions(error: GraphQLError, extensions: object): GraphQLError {
  return new GraphQLError(error.message, {
    ...locationOf(error),
    extensions: { ...error.extensions, ...extensions },
  });
}

function codeOf(error: unknown): ErrorCode | undefined {
  if (!(error instanceof GraphQLError)) return undefined;
  const code = error.extensions['code'];
  return isErrorCode(code) ? code : undefined;
}

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(errorTable, code);
}

function locationOf(error: unknown): {
  nodes?: NonNullable<GraphQLError['nodes']>;
  source?: NonNullable<GraphQLError['source']>;
  positions?: NonNullable<GraphQLError['positions']>;
  path?: NonNullable<GraphQLError['path']>;
} {
  if (!(error instanceof GraphQLError)) return {};
  const { nodes, source, positions, path } = error;
  return {
    ...(nodes ? { nodes } : {}),
    ...(source ? { source } : {}),
    ...(positions ? { positions } : {}),
    ...(path ? { path } : {}),
  };
}
