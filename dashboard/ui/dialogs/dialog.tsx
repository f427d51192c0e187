// Dialogs of the platform: focus stays inside, Esc closes, Ctrl or ⌘ with Enter does what the form is for, focus
// returns to where it was.
import type { ComponentChild } from 'preact'
import { useId, useRef } from 'preact/hooks'
import { Button } from '../button.tsx'
import { useModal } from './use-modal.ts'
import X from 'icon:x'
import s from './dialog.module.css'

interface DialogProps {
  readonly title: string
  readonly children: ComponentChild
  readonly onClose: () => void
  /** Buttons at the bottom, the main one last. */
  readonly actions?: ComponentChild
  readonly wide?: boolean
  /** Esc and a click beside it do not close. */
  readonly firm?: boolean
}

export const Dialog = ({ title, children, onClose, actions, wide, firm }: DialogProps) => {
  const ref = useRef<HTMLDialogElement>(null)
  const id = useId()
  useModal(ref)
  return (
    <dialog
      ref={ref}
      class={`${s['dialog']} ${wide === true ? s['wide'] : ''}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault()
        if (firm !== true) onClose()
      }}
      onClick={(event) => {
        if (event.target === ref.current && firm !== true) onClose()
      }}
      onKeyDown={(event) => {
        // Enter alone is a line break where a value has several.
        if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return
        event.preventDefault()
        ref.current?.querySelector('form')?.requestSubmit()
      }}
    >
      <div class={s['box']}>
        <header class={s['head']}>
          <h2 id={id}>{title}</h2>
          {firm === true ? null : (
            <Button variant="quiet" small label="Close" onPress={onClose}>
              <X size={16} />
            </Button>
          )}
        </header>
        <div class={s['body']}>{children}</div>
        {actions === undefined ? null : <footer class={s['foot']}>{actions}</footer>}
      </div>
    </dialog>
  )
}

interface ConfirmProps {
  readonly title: string
  readonly children: ComponentChild
  /** The text says the consequence: `Delete 3 secrets`. */
  readonly action: string
  readonly danger?: boolean
  readonly busy?: boolean
  /** Why it cannot be done. */
  readonly whyNot?: string | undefined
  readonly onConfirm: () => void
  readonly onClose: () => void
}

/**
 * Asks before something that cannot simply be taken back. Where first something is read, this one dialog shows that
 * too: between two dialogs a key would go to the page.
 */
export const Confirm = ({
  title,
  children,
  action,
  danger,
  busy,
  whyNot,
  onConfirm,
  onClose,
}: ConfirmProps) => (
  <Dialog
    title={title}
    onClose={onClose}
    actions={
      <>
        <Button onPress={onClose}>Cancel</Button>
        <Button
          first={danger !== true}
          variant={danger === true ? 'danger' : 'primary'}
          busy={busy === true}
          whyNot={whyNot}
          onPress={onConfirm}
        >
          {action}
        </Button>
      </>
    }
  >
    {children}
  </Dialog>
)
