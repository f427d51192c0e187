// Structured logs: JSON lines on stderr, a constant message plus fields. Values of secrets never
// reach a logger; the redaction by key name is the second fence, not the first.
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

/** Swallows everything; for tests and one-shot commands. */
export const silentLogger: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLogger,
}
