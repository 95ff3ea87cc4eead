import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** What every response says, be it a page or not; see SECURITY.md. */
const always = {
  // Nothing that is served is a script or a page unless it says so, …
  'x-content-type-options': 'nosniff',
  // … and none of it is to be run, framed or embedded by pages of others.
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-frame-options': 'DENY',
  'cross-origin-resource-policy': 'same-origin',
  // Addresses may hold tokens.
  'referrer-policy': 'no-referrer',
} as const;

/** A year, in seconds. */
const strictTransport = 'max-age=31536000';

/** Sets what a browser is to be careful about. @param isTls whether it came over TLS of our own */
export function setSecurityHeaders(response: ServerResponse, isTls: boolean): void {
  for (const [name, value] of Object.entries(always)) response.setHeader(name, value);
  if (isTls) response.setHeader('strict-transport-security', strictTransport);
}

/**
 * `Content-Security-Policy` of a page: the scripts that stand in it run, and no others. Styles may be added by scripts;
 * workers are made by them.
 */
export function policyOf(html: string): string {
  const scripts = [...html.matchAll(/<script>(.*?)<\/script>/gs)].map(([, script = '']) => {
    const digest = createHash('sha256').update(script).digest('base64');
    return `'sha256-${digest}'`;
  });
  return [
    "default-src 'none'",
    `script-src ${scripts.length > 0 ? scripts.join(' ') : "'none'"}`,
    "style-src 'unsafe-inline'",
    'img-src data:',
    'font-src data:',
    'worker-src blob:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}
