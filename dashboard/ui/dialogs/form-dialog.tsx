// A dialog with a form. The button is busy while the form is sent. A failure is shown above the fields, which keep their values.
import type { ComponentChild } from 'preact'
import { Button } from '../button.tsx'
import { Dialog } from './dialog.tsx'
import { ProblemBox } from '../problem.tsx'
import { useSending } from '../use-sending.ts'
import f from '../fields/form.module.css'

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
  const { busy, error, run } = useSending()
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class={f['form']}
        onSubmit={(event) => {
          event.preventDefault()
          if (!busy && whyNot === undefined) void run(send)
        }}
      >
        {error === undefined ? null : <ProblemBox error={error} />}
        {children}
        <div class={f['buttons']}>
          <Button onPress={onClose}>Cancel</Button>
          <Button
            variant={danger === true ? 'danger' : 'primary'}
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
