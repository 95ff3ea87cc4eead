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

/** Credentials as they stand in headers and addresses, and tokens wherever they stand. */
const credentials =
  /(\b(?:basic|bearer)\s+|[?&]token=)[\w+/=.~%-]{8,}|\beyJ[\w-]{8,}(?:\.[\w-]*){2,4}/gi;

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
      // What others throw may quote what they were given.
      hooks: { streamWrite: (line) => line.replace(credentials, '$1[redacted]') },
    },
    destination ?? pino.destination({ fd: 2, sync: true }),
  );
}
