import { MillraceError } from '../core/errors.ts';
import type { Credentials, KeyCredentials, TokenCredentials } from './principal.ts';
import { maxTokenLength } from './tokens/token-codec.ts';

/** No key is longer: what is, need not be hashed or sent to a cluster. */
const maxLength = 4_096;

const headerToSend =
  'send `Authorization: Basic base64(projectId:key)` or `Authorization: Bearer <token>`';
const fieldsToSend = 'send {"projectId": "...", "key": "..."} or {"token": "..."}';

/** What of a request may hold credentials. */
export interface RequestHead {
  readonly headers: { readonly authorization?: string | undefined };
  readonly url?: string | undefined;
}

/** Whether a request shows credentials of any kind. */
export function showsCredentials({ headers, url }: RequestHead): boolean {
  return headers.authorization !== undefined || tokensIn(url).length > 0;
}

/**
 * The credentials of a request: in its `Authorization` header, or as `?token=` in its URL.
 *
 * @throws {MillraceError} `UNAUTHENTICATED`, as `parseAuthorization`; also where both are there
 */
export function parseRequest({ headers, url }: RequestHead): Credentials {
  const inUrl = tokenInUrl(url);
  if (inUrl === undefined) return parseAuthorization(headers.authorization);
  if (headers.authorization === undefined) return inUrl;
  throw refused(
    'there are credentials in the URL and in the Authorization header: send one of them',
  );
}

/**
 * The token in a URL or a request's target; undefined: there is none.
 *
 * @throws {MillraceError} `UNAUTHENTICATED`: it cannot be read
 */
export function tokenInUrl(url: string | undefined): TokenCredentials | undefined {
  const [token, ...others] = tokensIn(url);
  if (token === undefined) return undefined;
  if (others.length > 0) throw refused('there are several tokens in the URL: send one');
  return checkedToken(token, { inUrl: true, toSend: 'send ?token=...' });
}

function tokensIn(url: string | undefined): readonly string[] {
  const start = url?.indexOf('?') ?? -1;
  if (url === undefined || start < 0) return [];
  return new URLSearchParams(url.slice(start)).getAll('token');
}

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
  // In one go from the left: a header may be made of blanks, and nobody has been let in yet.
  const [, scheme = '', parameters = ''] = /^(\S+)\s*(.*)$/s.exec(header.trim()) ?? [];
  switch (scheme.toLowerCase()) {
    case 'basic':
      return parseBasic(parameters);
    case 'bearer':
      return checkedToken(parameters, { inUrl: false, toSend: headerToSend });
    default:
      throw refused(`the Authorization header is neither Basic nor Bearer: ${headerToSend}`);
  }
}

/**
 * The credentials in the payload of a `connection_init`, or in the first frame of a feed; other fields
 * are ignored. Without any there, those in the URL of the connection.
 *
 * @throws {MillraceError} `UNAUTHENTICATED`: there are none, or they cannot be read; the message says
 * what to send.
 */
export function parseCredentials(payload: unknown, inUrl?: TokenCredentials): Credentials {
  const found = credentialsIn(payload);
  if (inUrl === undefined) {
    if (found === undefined) throw refused(`no credentials: ${fieldsToSend}`);
    return found;
  }
  if (found === undefined) return inUrl;
  throw refused('there are credentials in the URL and in the first message: send one of them');
}

/** undefined: there are none. */
function credentialsIn(payload: unknown): Credentials | undefined {
  if (!isFields(payload)) return undefined;
  const { projectId, key, token } = payload;
  if (token !== undefined) {
    if (projectId !== undefined || key !== undefined) {
      throw refused(`there are a token and a key: ${fieldsToSend}`);
    }
    if (typeof token !== 'string') throw refused(`token is not a string: ${fieldsToSend}`);
    return checkedToken(token, { inUrl: false, toSend: fieldsToSend });
  }
  if (projectId === undefined && key === undefined) return undefined;
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

function parseBasic(parameters: string): KeyCredentials {
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

function checked(credentials: KeyCredentials, toSend: string): KeyCredentials {
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

function checkedToken(
  token: string,
  { inUrl, toSend }: { readonly inUrl: boolean; readonly toSend: string },
): TokenCredentials {
  if (token === '') throw refused(`the token is empty: ${toSend}`);
  if (token.length > maxTokenLength) throw refused(`the token is longer than any: ${toSend}`);
  return { token, inUrl };
}

function refused(message: string, cause?: unknown): MillraceError {
  return new MillraceError('UNAUTHENTICATED', message, {}, { cause });
}
