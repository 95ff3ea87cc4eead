import pino, { type Logger } from 'pino';

export type { Logger };

/** Fields that may hold a secret, wherever a careless call might put them. */
const secretFields = [
  'authorization',
  'cookie',
  'credentials',
  'key',
  'login',
  'password',
  'sasl',
  'secret',
  'sha256',
  'token',
];

export interface LoggerOptions {
  readonly level: pino.LevelWithSilent;
  /** Which of several workers logs, from 1; it stands in every line. @default none */
  readonly worker?: number;
  /** @default standard error */
  readonly destination?: pino.DestinationStream;
}

/**
 * Logs one JSON object a line to standard error; standard output belongs to the line that tells the
 * address. Written synchronously, so that the last words of a dying process are not lost.
 */
export function createLogger({ level, worker, destination }: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: worker === undefined ? null : { worker },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
        censor: '[redacted]',
      },
    },
    destination ?? pino.destination({ fd: 2, sync: true }),
  );
}
