import { MillraceError } from '../core/errors.ts';
import type { Credentials } from './principal.ts';

/** No key is longer: what is, need not be hashed or sent to a cluster. */
const maxLength = 4_096;

const headerToSend = 'send `Authorization: Basic base64(projectId:key)`';
const fieldsToSend = 'send {"projectId": "...", "key": "..."}';

/**
 * The credentials in an `Authorization` header.
 *
 * @throws {MillraceError} `UNAUTHENTICATED`: there is none, or it cannot be read; the message says what
 * to send.
 */
export function parseAuthorization(header: string | undefined): Credentials {
  if (header === undefined || header.trim() === '') {
    throw refused(`no Authorization header: ${headerToSend}`);
  }
  const [, scheme = '', parameters = ''] = /^\s*(\S+)(?:\s+(.*?))?\s*$/s.exec(header) ?? [];
  switch (scheme.toLowerCase()) {
    case 'basic':
      return parseBasic(parameters);
    case 'bearer':
      throw refused(`tokens are not configured on this server: ${headerToSend}`);
    default:
      throw refused(`the Authorization header is neither Basic nor Bearer: ${headerToSend}`);
  }
}

/**
 * The credentials in the payload of a `connection_init`, or in the first frame of a feed; other fields
 * are ignored.
 *
 * @throws {MillraceError} `UNAUTHENTICATED`: there are none, or they cannot be read; the message says
 * what to send.
 */
export function parseCredentials(payload: unknown): Credentials {
  if (!isFields(payload)) throw refused(`no credentials: ${fieldsToSend}`);
  const { projectId, key, token } = payload;
  if (projectId === undefined && key === undefined) {
    throw refused(
      token === undefined
        ? `no credentials: ${fieldsToSend}`
        : `tokens are not configured on this server: ${fieldsToSend}`,
    );
  }
  if (typeof projectId !== 'string') throw refused(`projectId is not a string: ${fieldsToSend}`);
  if (typeof key !== 'string') throw refused(`key is not a string: ${fieldsToSend}`);
  return checked({ projectId, key }, fieldsToSend);
}

interface CredentialFields {
  readonly projectId?: unknown;
  readonly key?: unknown;
  readonly token?: unknown;
}

function isFields(payload: unknown): payload is CredentialFields {
  return typeof payload === 'object' && payload !== null && !Array.isArray(payload);
}

function parseBasic(parameters: string): Credentials {
  // Buffer.from passes over what is not base64, so it is judged here.
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(parameters)) {
    throw refused(`the Basic credentials are not base64: ${headerToSend}`);
  }
  let decoded: string;
  try {
    decoded = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(parameters, 'base64'));
  } catch (cause) {
    throw refused(`the Basic credentials are not base64 of UTF-8: ${headerToSend}`, cause);
  }
  const colon = decoded.indexOf(':');
  if (colon < 0) throw refused(`the Basic credentials lack a colon: ${headerToSend}`);
  return checked(
    { projectId: decoded.slice(0, colon), key: decoded.slice(colon + 1) },
    headerToSend,
  );
}

function checked(credentials: Credentials, toSend: string): Credentials {
  for (const [name, value] of Object.entries({
    'project id': credentials.projectId,
    key: credentials.key,
  })) {
    if (value === '') throw refused(`the ${name} is empty: ${toSend}`);
    if (value.length > maxLength) throw refused(`the ${name} is longer than any: ${toSend}`);
    // In SASL PLAIN it separates the user name from the password.
    if (value.includes('\0')) throw refused(`the ${name} holds a NUL character: ${toSend}`);
  }
  return credentials;
}

function refused(message: string, cause?: unknown): MillraceError {
  return new MillraceError('UNAUTHENTICATED', message, {}, { cause });
}
