// The same action in other tools, before it is done and afterwards.
import { signal } from '@preact/signals'
import { useState } from 'preact/hooks'
import { useShortcuts } from '../session/keys.ts'
import { copiedTexts, type ApiAction } from '../actions/copy-as.ts'
import { Button } from './button.tsx'
import { CopyCommand } from './copy.tsx'
import { Dialog } from './dialogs/dialog.tsx'
import s from './copy.module.css'

/** The last action of this tab. */
const lastDone = signal<ApiAction | undefined>(undefined)

export const wasDone = (action: ApiAction): void => {
  lastDone.value = action
}

const names = { yaml: 'YAML', kubectl: 'kubectl', stagely: 'stagely', curl: 'curl' } as const

interface CopyAsProps {
  readonly action: ApiAction
  /** In place of "Copy as: ". */
  readonly prefix?: string
}

/** Folded up, for a dialog or a panel. */
export const CopyAs = ({ action, prefix = 'Copy as: ' }: CopyAsProps) => {
  const texts = copiedTexts(action, location.origin)
  return (
    <details class={s['copyAs']}>
      <summary>
        {prefix}
        {action.name}
      </summary>
      {(Object.keys(names) as (keyof typeof names)[]).map((name) => {
        const text = texts[name]
        return text === undefined ? null : (
          <div key={name}>
            <p>{names[name]}</p>
            <CopyCommand text={text} />
          </div>
        )
      })}
    </details>
  )
}

export const CopyDialog = ({
  actions,
  onClose,
}: {
  readonly actions: readonly ApiAction[]
  readonly onClose: () => void
}) => (
  <Dialog wide title="Copy as" onClose={onClose}>
    <div class={s['list']}>
      {lastDone.value === undefined ? null : (
        <CopyAs action={lastDone.value} prefix="Just done: " />
      )}
      {actions.map((action) => (
        <CopyAs key={action.name} action={action} prefix="" />
      ))}
      {lastDone.value === undefined && actions.length === 0 ? (
        <p>Actions of this tab appear here as commands.</p>
      ) : null}
      <p class="muted">
        The token is read from $STAGELY_TOKEN, and a new value from standard input. ca.crt is the
        certificate of the controller: see `stagely login`.
      </p>
    </div>
  </Dialog>
)

/** All that can be done on a page, and what was done last. */
export const CopyMenu = ({ actions }: { readonly actions: readonly ApiAction[] }) => {
  const [isOpen, setOpen] = useState(false)
  const open = (): boolean => {
    setOpen(true)
    return true
  }
  useShortcuts([{ keys: 'y', does: 'Copy as', run: open }])
  return (
    <>
      <Button variant="quiet" keys="y" onPress={open}>
        Copy as
      </Button>
      {isOpen ? <CopyDialog actions={actions} onClose={() => setOpen(false)} /> : null}
    </>
  )
}
