// One finding of the doctor.

export interface DoctorCheck {
  readonly name: string
  readonly status: 'ok' | 'warning' | 'failed' | 'skipped'
  readonly message: string
  /** What to do; absent where there is nothing to do. */
  readonly remedy?: string
}

export const ok = (name: string, message: string): DoctorCheck => ({ name, status: 'ok', message })
export const skipped = (name: string, message: string): DoctorCheck => ({
  name,
  status: 'skipped',
  message,
})
export const warning = (name: string, message: string, remedy: string): DoctorCheck => ({
  name,
  status: 'warning',
  message,
  remedy,
})
export const failedCheck = (name: string, message: string, remedy: string): DoctorCheck => ({
  name,
  status: 'failed',
  message,
  remedy,
})

export const codeOf = (error: unknown): string | undefined =>
  (error as NodeJS.ErrnoException | undefined)?.code
