import type { IncomingMessage } from 'node:http';
import { MillraceError } from '../core/errors.ts';

/**
 * Whether the body of a request is said to be JSON. A form of another site can send every other type without
 * asking.
 */
export function saysJson({ headers }: IncomingMessage): boolean {
  const [type = ''] = (headers['content-type'] ?? '').split(';', 1);
  return type.trim().toLowerCase() === 'application/json';
}

/**
 * The body of a request as parsed JSON; `undefined`: it is empty.
 *
 * @throws {MillraceError} `LIMIT_EXCEEDED`: it has more than `maxBytes`; `BAD_USER_INPUT`: it is no JSON
 */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Left as it is when it is too long: the answer has to go out by the same socket.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const part = Buffer.from(chunk);
    bytes += part.length;
    if (bytes > maxBytes) throw bodyTooLong(maxBytes);
    chunks.push(part);
  }
  if (bytes === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
  } catch (cause) {
    throw new MillraceError('BAD_USER_INPUT', 'the body is no JSON in UTF-8', {}, { cause });
  }
}

export function bodyTooLong(maxBytes: number): MillraceError {
  const limit = 'limits.inboundFrameBytes';
  return new MillraceError(
    'LIMIT_EXCEEDED',
    `the body has more than ${maxBytes} bytes (${limit})`,
    { limit },
  );
}
