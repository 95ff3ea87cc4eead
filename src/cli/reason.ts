/** What an error says, in one sentence for people. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && error.code === 'EADDRINUSE'
    ? `${error.message}; set listen.port (MILLRACE_LISTEN_PORT) to another, or 0 for a free one`
    : error.message;
}
