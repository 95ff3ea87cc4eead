import { createLogger, type Logger } from '../../src/observe/logger.ts';

export interface CapturedLog {
  readonly logger: Logger;
  /** What was logged so far. */
  readonly lines: readonly LogLine[];
  /** The first line, logged already or in the future, that has this in its message. */
  logged(message: string): Promise<LogLine>;
}

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** A logger whose lines a test can read and wait for. */
export function captureLog(): CapturedLog {
  const lines: LogLine[] = [];
  const waiting = new Set<() => void>();
  const logger = createLogger({
    level: 'trace',
    destination: {
      write: (line) => {
        // What pino writes is one object a line.
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion
        lines.push(JSON.parse(line) as LogLine);
        for (const look of waiting) look();
      },
    },
  });
  return {
    logger,
    lines,
    logged: (message) =>
      new Promise((resolve) => {
        const look = (): void => {
          const line = lines.find(({ msg }) => msg.includes(message));
          if (line === undefined) return;
          waiting.delete(look);
          resolve(line);
        };
        waiting.add(look);
        look();
      }),
  };
}
