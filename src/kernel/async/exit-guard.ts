// Ends the process where a stop takes too long, or has left work behind: neither may hold the process, nor the lock of
// its database.

export interface Ending {
  /** As `setTimeout`; the timer itself must hold no process that could end. */
  readonly timer: (then: () => void, ms: number) => { unref(): unknown }
  readonly exit: (code: number) => void
}

const ofProcess: Ending = { timer: setTimeout, exit: (code) => process.exit(code) }

/** Ends the process with `code` after `ms`, unless it has ended by itself; `why` is said before. */
export const exitAfter = (
  ms: number,
  { code, why }: { readonly code: number; readonly why: () => void },
  { timer, exit }: Ending = ofProcess,
): void => {
  const end = (): void => {
    why()
    exit(code)
  }
  timer(end, ms).unref()
}
