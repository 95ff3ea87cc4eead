/**
 * The one table of errors that a client can see. docs/errors.md is held to it by a test.
 *
 * `httpStatus` answers a plain HTTP request; `closeCode` closes a WebSocket when the error ends the
 * whole connection rather than one operation.
 */
export const errorTable = {
  UNAUTHENTICATED: {
    httpStatus: 401,
    closeCode: 4403,
    summary: 'No, unknown or wrong credentials.',
    remedy: 'Send a project id and one of its keys, or a token that has not expired.',
  },
  FORBIDDEN: {
    httpStatus: 403,
    closeCode: 4403,
    summary: 'The credentials are right but may not do this; the message says why.',
    remedy: 'Use a key that permits it, or have its owner change what the key may do.',
  },
  TOPIC_NOT_FOUND: {
    httpStatus: 404,
    closeCode: 4404,
    summary: 'No such topic for this project.',
    remedy:
      'Check the spelling against the `topics` query; topics of other projects are not visible.',
  },
  BAD_USER_INPUT: {
    httpStatus: 400,
    closeCode: 4400,
    summary:
      'The document, a variable or an argument cannot be used; `extensions.argument` names the argument, if it is one.',
    remedy: 'Correct it as the message says.',
  },
  CURSOR_INVALID: {
    httpStatus: 400,
    closeCode: 4400,
    summary: 'Not a cursor of this topic, project and order.',
    remedy: 'Pass a cursor exactly as it was received, with the same topic and order.',
  },
  CURSOR_EXPIRED: {
    httpStatus: 410,
    closeCode: 4410,
    summary:
      'The log no longer holds what follows the cursor; `extensions.ranges` lists what is gone.',
    remedy: 'Start again without `after`, or with `since`, and treat the listed ranges as lost.',
  },
  TOPIC_RECREATED: {
    httpStatus: 410,
    closeCode: 4410,
    summary:
      'The topic was deleted and created again since the subscription began or the cursor was issued.',
    remedy: 'Start again without `after`; the former topic and its offsets are gone.',
  },
  LOG_TRUNCATED: {
    httpStatus: 410,
    closeCode: 4410,
    summary: 'The log ends before the cursor: the cluster lost records that it had served.',
    remedy: 'Start again without `after`; `extensions.ranges` lists what was lost.',
  },
  LIMIT_EXCEEDED: {
    httpStatus: 429,
    closeCode: 1013,
    summary: 'A limit of the server was reached; the message names it with its value.',
    remedy: 'Do less of it, or have the operator raise the limit.',
  },
  KAFKA_UNAVAILABLE: {
    httpStatus: 503,
    closeCode: 1013,
    summary:
      'A query needs the Kafka cluster, which cannot be reached. Subscriptions wait instead.',
    remedy: 'Try again; if it lasts, the operator looks at /health/ready.',
  },
  INTERNAL: {
    httpStatus: 500,
    closeCode: 4500,
    summary: 'An unexpected fault of the server; the details are in its log only.',
    remedy: 'Try again, and report it if it lasts.',
  },
} as const satisfies Record<string, ErrorRow>;

interface ErrorRow {
  readonly httpStatus: number;
  readonly closeCode: number;
  readonly summary: string;
  readonly remedy: string;
}

export type ErrorCode = keyof typeof errorTable;

/** A range of offsets of one partition that is gone: `from` inclusive, `to` exclusive. */
export interface LostRange {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

/** What a client may see beside code and message. */
export interface ErrorDetails {
  /** The argument that cannot be used (`BAD_USER_INPUT`). */
  readonly argument?: string;
  /** What was lost (`CURSOR_EXPIRED`, `LOG_TRUNCATED`). */
  readonly ranges?: readonly LostRange[];
  /** The limit that was reached, by its configuration path (`LIMIT_EXCEEDED`). */
  readonly limit?: string;
}

/**
 * An error that is meant for the client: its message is shown as it is. Everything else that is
 * thrown is masked as `INTERNAL` at the transports.
 */
export class MillraceError extends Error {
  override readonly name = 'MillraceError';
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(
    code: ErrorCode,
    message: string,
    details: ErrorDetails = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
    this.details = details;
  }
}
