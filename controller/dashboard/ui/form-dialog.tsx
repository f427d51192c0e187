// A dialog with a form. While it is sent the button is busy; what failed is told beside what was typed, which stays.
import type { ComponentChild } from 'preact'
import { useState } from 'preact/hooks'
import { Button } from './button.tsx'
import { Dialog } from './dialog.tsx'
import { ProblemBox } from './problem.tsx'
import f from './form.module.css'

interface Props {
  readonly title: string
  /** What the button does: `Add the user`. */
  readonly action: string
  readonly children: ComponentChild
  readonly danger?: boolean
  /** Why it cannot be sent now. */
  readonly whyNot?: string | undefined
  /** Closes the dialog itself where it is done. */
  readonly send: () => Promise<void>
  readonly onClose: () => void
}

export const FormDialog = ({ title, action, children, danger, whyNot, send, onClose }: Props) => {
  const [failed, setFailed] = useState<unknown>()
  const [busy, setBusy] = useState(false)
  const submit = async (): Promise<void> => {
    setBusy(true)
    setFailed(undefined)
    try {
      await send()
    } catch (error) {
      setFailed(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class={f['form']}
        onSubmit={(event) => {
          event.preventDefault()
          if (!busy && whyNot === undefined) void submit()
        }}
      >
        {failed === undefined ? null : <ProblemBox error={failed} />}
        {children}
        <div class={f['buttons']}>
          <Button onPress={onClose}>Cancel</Button>
          <Button
            look={danger === true ? 'danger' : 'primary'}
            submit
            busy={busy}
            whyNot={whyNot}
            onPress={() => undefined}
          >
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
