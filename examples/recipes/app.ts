/*
 * What the recipes share; in your app it is yours. Without settings they read the demo of `npm start`.
 */
const { env } = process;

export const url = env['MILLRACE_URL'] ?? 'http://127.0.0.1:4000';
const projectId = env['MILLRACE_PROJECT'] ?? 'acme';
const key = env['MILLRACE_KEY'] ?? 'acme-read-k3Jt9wQz';

/**
 * Asked before each connection. A page has no key: it asks its backend for a token, and answers
 * `{ token }` (docs/tokens.md).
 */
export async function credentials(): Promise<Record<string, string>> {
  return { projectId, key };
}

/** The same as the header `Authorization`; of a token, `Bearer ${token}`. */
export function authorization(): string {
  return `Basic ${btoa(`${projectId}:${key}`)}`;
}

/** Before connecting again: of random length, so that not all clients come back at once. */
export function pause(failures: number): Promise<void> {
  const atMostMs = Math.min(1_000 * 2 ** failures, 30_000);
  return new Promise((resolve) => setTimeout(resolve, Math.random() * atMostMs));
}

export interface Purchase {
  readonly id: string | null | undefined;
  readonly payload: unknown;
  readonly cursor: string;
}

/** What your app does with an event. */
export function show(purchase: Purchase): void {
  console.log(JSON.stringify(purchase));
}

/** It cannot go on, for example because what follows the cursor is gone from Kafka (docs/errors.md). */
export function fail(reason: unknown): void {
  console.error('The subscription has ended:', reason);
  process.exitCode = 1;
}
