/** A range of offsets of one partition that is gone: `from` inclusive, `to` exclusive. */
export interface LostRange {
  readonly partition: number;
  readonly from: number;
  readonly to: number;
}

/** What a server says is the reason: docs/errors.md. */
export type ServerCode =
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'TOPIC_NOT_FOUND'
  | 'BAD_USER_INPUT'
  | LossCode
  | 'LIMIT_EXCEEDED'
  | 'KAFKA_UNAVAILABLE'
  | 'INTERNAL';

/** The cursor leads nowhere: `onLoss` is asked. */
export type LossCode = 'CURSOR_INVALID' | 'CURSOR_EXPIRED' | 'TOPIC_RECREATED' | 'LOG_TRUNCATED';

/** What the client itself finds. */
export type ClientCode =
  /** The connection could not be made, broke, was silent for too long, or the server is going away. */
  | 'CONNECTION_LOST'
  /** What was received is not `millrace.v1`. */
  | 'PROTOCOL_VIOLATED'
  /** The app's function gave no token. */
  | 'TOKEN_UNAVAILABLE'
  /** More waits for the app than `maxWaiting`. */
  | 'TOO_SLOW';

export interface FeedErrorDetails {
  /** Of the WebSocket, if it was closed. */
  readonly closeCode?: number | undefined;
  /** What is lost. */
  readonly ranges?: readonly LostRange[] | undefined;
  /** The option that cannot be used (`BAD_USER_INPUT`). */
  readonly argument?: string | undefined;
  /** The limit that was reached, by its configuration path (`LIMIT_EXCEEDED`). */
  readonly limit?: string | undefined;
  readonly cause?: unknown;
}

/** Why a feed has ended, or waits. Match its `code`; the message is for people. */
export class FeedError extends Error {
  override readonly name = 'FeedError';
  readonly code: ServerCode | ClientCode;
  readonly closeCode: number | undefined;
  readonly ranges: readonly LostRange[];
  readonly argument: string | undefined;
  readonly limit: string | undefined;

  constructor(code: ServerCode | ClientCode, message: string, details: FeedErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.closeCode = details.closeCode;
    this.ranges = details.ranges ?? [];
    this.argument = details.argument;
    this.limit = details.limit;
  }
}

/** What follows the cursor cannot be had. */
export type Loss = FeedError & { readonly code: LossCode };

export function isLoss(error: FeedError): error is Loss {
  return error.closeCode === 4410 || error.code === 'CURSOR_INVALID';
}

/** Whether the same may succeed later: see the close codes of PROTOCOL.md. */
export function isPassing({ code, closeCode = 1006 }: FeedError): boolean {
  if (code === 'PROTOCOL_VIOLATED') return false;
  if (closeCode < 4000) return !finalCodes.has(closeCode);
  return closeCode === 4408 || closeCode >= 4500;
}

/** Whether it is the network that failed, and nobody has refused anything. */
export function isOfNetwork({ code, closeCode = 1006 }: FeedError): boolean {
  return code === 'TOKEN_UNAVAILABLE' || (code === 'CONNECTION_LOST' && closeCode < 1013);
}

/** Of RFC 6455: what this client sends is wrong, or too large. */
const finalCodes = new Set([1002, 1003, 1007, 1009, 1010]);
