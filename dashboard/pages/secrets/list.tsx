// The secrets as a list: one row for each, which is where one edits.
import { useState } from 'preact/hooks'
import { useQueryState } from '../../session/team.ts'
import { Grid } from '../../ui/grid/grid.tsx'
import { columns } from './columns.tsx'
import type { ProjectPlace, SecretRow } from '../project/data.ts'
import type { SecretActions } from './places/lens-grid.tsx'
import { removeAll, SelectionBar, takeAllBack, useSelection } from './selection.tsx'
import { NewRowsButton, usePausedRows } from './paused-rows.tsx'

interface ListProps {
  readonly place: ProjectPlace
  /** Those that the filter lets through. */
  readonly rows: readonly SecretRow[]
  readonly open: SecretRow | undefined
  readonly isReady: boolean
  readonly actions: SecretActions
  readonly noWrite: string | undefined
  readonly onOpen: (row: SecretRow) => void
}

export const List = (props: ListProps) => {
  const { place, rows, open, isReady, actions, noWrite, onOpen } = props
  const [query = ''] = useQueryState('q')
  const [isBusy, setIsBusy] = useState(false)
  const { shown, held, showNew } = usePausedRows(rows, isBusy && isReady, query)
  const selection = useSelection(shown)
  const onKey = (key: string, row: SecretRow): boolean => {
    const { selected } = selection
    const all = selected.length > 0 ? selected : [row]
    if (key === 'e') return actions.edit(row)
    if (key === 'Delete') return removeAll(all, actions)
    if (key === 'z') return takeAllBack(all, actions)
    if (key !== 'x') return false
    selection.toggle(row)
    return true
  }
  return (
    <>
      <NewRowsButton count={held} onShow={showNew} />
      <Grid
        label={`Secrets of ${place.project}`}
        columns={columns}
        rows={shown}
        idOf={({ id }) => id}
        isCurrent={(row) => row.id === open?.id || selection.has(row)}
        isMarked={({ isStaged }) => isStaged}
        onOpen={onOpen}
        onKey={onKey}
        onBusy={setIsBusy}
        takesMany
        empty="No secret matches this filter."
      />
      {selection.selected.length === 0 ? null : (
        <SelectionBar selection={selection} actions={actions} noWrite={noWrite} />
      )}
    </>
  )
}
