// Work that nobody waits for. An unhandled fault of such work ends the process, or is lost.
import type { Logger } from '../log.ts'

/** Starts the work; whatever it throws goes to `onFault`. Lint refuses a promise that floats otherwise. */
export const background = (
  work: () => Promise<unknown>,
  onFault: (error: unknown) => void,
): void => {
  const run = async (): Promise<void> => {
    await work()
  }
  run().catch(onFault)
}

/** An `onFault` that writes a line to the log, with what has ended. */
export const logFault =
  (log: Pick<Logger, 'error'>, ended: string) =>
  (error: unknown): void =>
    log.error({ err: error }, ended)
