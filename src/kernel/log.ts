// Structured logs: JSON lines on stderr, a constant message plus fields. No caller passes a secret's
// value to a logger; the redaction by field name is a second safeguard.
import { pino } from 'pino'

export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(fields: object): Logger
}

const secretish = ['value', 'token', 'authorization', 'password', 'secret', 'ciphertext', 'key']

export const createLogger = (level: string, fields: object = {}): Logger =>
  pino(
    {
      level,
      base: fields,
      messageKey: 'message',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: secretish.flatMap((k) => [k, `*.${k}`]), censor: '***REDACTED***' },
    },
    pino.destination({ dest: 2, sync: true }),
  )

/** Writes nothing; for tests and one-shot commands. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
}
