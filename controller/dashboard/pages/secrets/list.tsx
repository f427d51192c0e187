// The secrets as a list: one row for each, which is where one edits.
import { useState } from 'preact/hooks'
import { useQueryState } from '../../app/team.ts'
import { Grid } from '../../ui/grid.tsx'
import { columns } from './columns.tsx'
import type { ProjectPlace, SecretRow } from './data.ts'
import type { RowActions } from './lens-grid.tsx'
import { Held, useSteady } from './steady.tsx'

interface ListProps {
  readonly place: ProjectPlace
  /** Those that the filter lets through. */
  readonly rows: readonly SecretRow[]
  readonly open: SecretRow | undefined
  readonly isReady: boolean
  readonly actions: RowActions
  readonly onOpen: (row: SecretRow) => void
}

export const List = ({ place, rows, open, isReady, actions, onOpen }: ListProps) => {
  const [query = ''] = useQueryState('q')
  const [isBusy, setIsBusy] = useState(false)
  const { shown, held, showNew } = useSteady(rows, isBusy && isReady, query)
  const onKey = (key: string, row: SecretRow): boolean => {
    if (key === 'e') return actions.edit(row)
    if (key === 'Delete') return actions.remove(row)
    if (key !== 'z' || row.edit === undefined) return false
    actions.takeBack(row.edit)
    return true
  }
  return (
    <>
      <Held count={held} onShow={showNew} />
      <Grid
        label={`Secrets of ${place.project}`}
        columns={columns}
        rows={shown}
        idOf={({ id }) => id}
        isCurrent={(row) => row.id === open?.id}
        isMarked={({ isStaged }) => isStaged}
        onOpen={onOpen}
        onKey={onKey}
        onBusy={setIsBusy}
        empty="No secret matches this filter."
      />
    </>
  )
}
