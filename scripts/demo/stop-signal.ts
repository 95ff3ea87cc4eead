/** A later signal than this ends the process at once; until then it is the same Ctrl-C. */
const sameKeyPressMs = 1_000;

/**
 * Resolves at the first SIGINT, SIGTERM or SIGHUP. One Ctrl-C may come twice: from the terminal, and
 * from npm, which passes it on. A second one, later, ends the process where it stands.
 */
export function untilToldToStop(): Promise<void> {
  return new Promise((resolve) => {
    let firstMs: number | null = null;
    const told = (): void => {
      firstMs ??= Date.now();
      if (Date.now() - firstMs > sameKeyPressMs) process.exit(1);
      resolve();
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, told);
  });
}
