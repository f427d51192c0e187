// Asks before an action, offers it for other tools, and closes when it is done.
import type { ComponentChild } from 'preact'
import type { ApiAction } from '../../actions/copy-as.ts'
import { useAction, type OnDone } from '../action.ts'
import { CopyAs } from '../copy-as.tsx'
import { Confirm } from './dialog.tsx'

interface Props<T> {
  readonly title: string
  /** Text of the button: the consequence. */
  readonly label: string
  readonly action: ApiAction<T>
  readonly onDone: OnDone<T>
  readonly danger?: boolean
  readonly children: ComponentChild
  readonly onClose: () => void
}

export const ConfirmAction = <T,>({
  title,
  label,
  action,
  onDone,
  danger = false,
  children,
  onClose,
}: Props<T>) => {
  const { busy, run } = useAction()
  const confirm = async (): Promise<void> => {
    if (await run(action, onDone)) onClose()
  }
  return (
    <Confirm
      title={title}
      action={label}
      danger={danger}
      busy={busy}
      onConfirm={() => void confirm()}
      onClose={onClose}
    >
      {children}
      <CopyAs action={action} />
    </Confirm>
  )
}
