import type { Logger } from '../observe/logger.ts';

/** Milliseconds within which a second signal is taken for the first one again. */
const sameSignalWithinMs = 1_000;

/** Milliseconds after which a server that does not get done with closing is left as it is. */
export const closeWithinMs = 28_000;

export interface EndingOptions {
  readonly logger: Logger;
  readonly close: (signal: NodeJS.Signals) => Promise<void>;
  /** Milliseconds after which a `close` that does not get done is left as it is. */
  readonly withinMs: number;
}

/**
 * The end of the process: in order at the first signal or call, at once at a later signal, when somebody
 * has lost patience.
 *
 * @returns ends the process as the signal would
 */
export function endOnSignal({
  logger,
  close,
  withinMs,
}: EndingOptions): (signal: NodeJS.Signals) => void {
  let closingSinceMs: number | null = null;
  const end = (signal: NodeJS.Signals): void => {
    if (closingSinceMs !== null) return;
    closingSinceMs = performance.now();
    logger.info({ signal }, 'closing');
    setTimeout(() => {
      logger.error('closing takes too long: giving up');
      process.exit(1);
    }, withinMs).unref();
    close(signal).then(
      () => process.exit(0),
      (err: unknown) => {
        logger.error({ err }, 'closing failed');
        process.exit(1);
      },
    );
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    // Ctrl-C under `npm run` comes twice: from the terminal, and passed on by npm.
    if (closingSinceMs !== null && performance.now() - closingSinceMs > sameSignalWithinMs) {
      process.exit(1);
    }
    end(signal);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return end;
}

/** What nobody caught is logged like everything else, and the process does not go on with it. */
export function endOnDefect(logger: Logger): void {
  process.on('uncaughtException', (err) => {
    logger.fatal({ err }, 'a defect: ending');
    process.exit(1);
  });
}
