// Rows that are selected, to do the same with all of them.
import { useState } from 'preact/hooks'
import { useShortcuts } from '../../session/keys.ts'
import { Button } from '../../ui/button.tsx'
import { StateText } from '../../ui/state.tsx'
import type { SecretRow } from '../project/data.ts'
import type { SecretActions } from './places/lens-grid.tsx'
import s from './page.module.css'

interface RowSelection {
  /** Of the rows that are shown: what the filter hides is left alone. */
  readonly selected: readonly SecretRow[]
  readonly has: (row: SecretRow) => boolean
  readonly toggle: (row: SecretRow) => void
  readonly clear: () => void
}

export const useSelection = (rows: readonly SecretRow[]): RowSelection => {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set())
  return {
    selected: ids.size === 0 ? [] : rows.filter(({ id }) => ids.has(id)),
    has: ({ id }) => ids.has(id),
    toggle: ({ id }) =>
      setIds(
        ids.has(id)
          ? new Set([...ids].filter((selected) => selected !== id))
          : new Set([...ids, id]),
      ),
    clear: () => setIds(new Set()),
  }
}

/** False where none of the rows takes it. */
export const removeAll = (rows: readonly SecretRow[], actions: SecretActions): boolean =>
  rows.map((row) => actions.remove(row)).includes(true)

export const takeAllBack = (rows: readonly SecretRow[], actions: SecretActions): boolean => {
  const edits = rows.flatMap(({ edit }) => edit ?? [])
  for (const edit of edits) actions.takeBack(edit)
  return edits.length > 0
}

interface Props {
  /** With rows. */
  readonly selection: RowSelection
  readonly actions: SecretActions
  readonly noWrite: string | undefined
}

export const SelectionBar = ({ selection: { selected, clear }, actions, noWrite }: Props) => {
  useShortcuts([{ keys: 'Escape', does: 'Clear selection', run: () => (clear(), true) }])
  const staged = selected.filter(({ edit }) => edit !== undefined).length
  return (
    <section class={s['bar']} aria-label="Selected secrets">
      <StateText kind="staged">{selected.length} selected</StateText>
      <p class="muted">Nothing is saved before the review.</p>
      <Button
        variant="danger"
        whyNot={noWrite}
        keys="Delete"
        onPress={() => void removeAll(selected, actions)}
      >
        Delete
      </Button>
      {staged === 0 ? null : (
        <Button keys="z" onPress={() => void takeAllBack(selected, actions)}>
          Unstage
        </Button>
      )}
      <Button variant="quiet" keys="Escape" onPress={clear}>
        Clear selection
      </Button>
    </section>
  )
}
