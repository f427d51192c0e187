// What a Notifier sends.
import type { NoticeReason } from '../../kinds/notifier/schema.ts'

/** One notice. It holds names only. */
export interface Notice {
  /** `Test`: a person tries the Notifier. */
  readonly reason: NoticeReason | 'Test'
  readonly kind: string
  readonly team: string
  readonly project?: string
  readonly name: string
  readonly message: string
  readonly at: string
}

export interface NoticeRow {
  /** Uid of the Notifier. */
  readonly notifier: string
  readonly about: string
  /** ms */
  readonly at: number
  readonly notice: Notice
}
