// The same action in other tools, before it is done and afterwards.
import { signal } from '@preact/signals'
import { useState } from 'preact/hooks'
import { useShortcuts } from '../app/keys.ts'
import { formsOf, type Doing, type Forms } from '../copy-as/doing.ts'
import { Button } from './button.tsx'
import { Command } from './copy.tsx'
import { Dialog } from './dialog.tsx'
import s from './copy.module.css'

/** What was done last in this tab. */
const lastDone = signal<Doing | undefined>(undefined)

export const wasDone = (doing: Doing): void => {
  lastDone.value = doing
}

const names = { yaml: 'YAML', kubectl: 'kubectl', stagely: 'stagely', curl: 'curl' } as const

const FormsOf = ({ doing }: { readonly doing: Doing }) => {
  const forms: Forms = formsOf(doing, location.origin)
  return (
    <>
      {(Object.keys(names) as (keyof typeof names)[]).map((name) => {
        const text = forms[name]
        return text === undefined ? null : (
          <div key={name}>
            <p>{names[name]}</p>
            <Command text={text} />
          </div>
        )
      })}
    </>
  )
}

/** Folded up, for a dialog or a panel. */
export const CopyAs = ({ doing }: { readonly doing: Doing }) => (
  <details class={s['copyAs']}>
    <summary>Copy as: {doing.name}</summary>
    <FormsOf doing={doing} />
  </details>
)

const Item = ({ doing, isDone }: { readonly doing: Doing; readonly isDone?: boolean }) => (
  <details class={s['copyAs']}>
    <summary>
      {isDone === true ? 'Just done: ' : ''}
      {doing.name}
    </summary>
    <FormsOf doing={doing} />
  </details>
)

export const CopyDialog = ({
  doings,
  onClose,
}: {
  readonly doings: readonly Doing[]
  readonly onClose: () => void
}) => (
  <Dialog wide title="Copy as" onClose={onClose}>
    <div class={s['list']}>
      {lastDone.value === undefined ? null : <Item doing={lastDone.value} isDone />}
      {doings.map((doing) => (
        <Item key={doing.name} doing={doing} />
      ))}
      {lastDone.value === undefined && doings.length === 0 ? (
        <p>What you do in this tab is here afterwards, as commands.</p>
      ) : null}
      <p class="muted">
        The token is read from $STAGELY_TOKEN, a new value from standard input, and ca.crt is the
        certificate of the controller: see `stagely login`.
      </p>
    </div>
  </Dialog>
)

/** All that can be done on a page, and what was done last. */
export const CopyMenu = ({ doings }: { readonly doings: readonly Doing[] }) => {
  const [isOpen, setOpen] = useState(false)
  const open = (): boolean => {
    setOpen(true)
    return true
  }
  useShortcuts([{ keys: 'y', does: 'Copy as', run: open }])
  return (
    <>
      <Button look="quiet" keys="y" onPress={open}>
        Copy as
      </Button>
      {isOpen ? <CopyDialog doings={doings} onClose={() => setOpen(false)} /> : null}
    </>
  )
}
