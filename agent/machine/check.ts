// One finding of the doctor.

export interface DoctorCheck {
  readonly name: string
  readonly status: 'ok' | 'warning' | 'failed' | 'skipped'
  readonly message: string
  /** What to do; absent where there is nothing to do. */
  readonly remedy?: string
}

const finding =
  (status: DoctorCheck['status']) =>
  (name: string, message: string, remedy: string): DoctorCheck => ({
    name,
    status,
    message,
    remedy,
  })

export const ok = (name: string, message: string): DoctorCheck => ({ name, status: 'ok', message })
export const skipped = (name: string, message: string): DoctorCheck => ({
  ...ok(name, message),
  status: 'skipped',
})
export const warning = finding('warning')
export const failedCheck = finding('failed')

export const codeOf = (error: unknown): string | undefined =>
  (error as NodeJS.ErrnoException | undefined)?.code
