// The list of secrets as an earlier revision held them, against now. Read-only.
import { useMemo, useState } from 'preact/hooks'
import { useQueryState } from '../../session/team.ts'
import { Grid, type Column } from '../../ui/grid/grid.tsx'
import type { ProjectPlace } from '../project/data.ts'
import { usePausedRows } from './paused-rows.tsx'
import type { ThenRow } from './then-rows.ts'
import s from './page.module.css'

const placeOf = (scope: string, stagelet: string | undefined): string =>
  stagelet === undefined ? scope : `${scope} of ${stagelet}`

const version = (found: ThenRow['was']) => {
  if (found === undefined) return <span class="muted">–</span>
  return <span class="num">{found.version === 0 ? 'yes' : `v${found.version}`}</span>
}

const columnsOf = (revision: number): readonly Column<ThenRow>[] => [
  {
    id: 'key',
    title: 'Key',
    width: 'minmax(150px, 2.4fr)',
    render: ({ secret }) => <span class={s['key']}>{secret.key}</span>,
  },
  {
    id: 'place',
    title: `Place in r${revision}`,
    width: 'minmax(110px, 1.4fr)',
    wide: true,
    render: ({ was }) =>
      was === undefined ? <span class="muted">–</span> : placeOf(was.scope, was.stagelet),
  },
  {
    id: 'then',
    title: `r${revision}`,
    width: '64px',
    align: 'end',
    render: ({ was }) => version(was),
  },
  {
    id: 'now',
    title: 'Now',
    width: '64px',
    align: 'end',
    render: ({ current }) => version(current),
  },
  {
    id: 'difference',
    title: 'Since then',
    width: 'minmax(120px, 2fr)',
    render: ({ word, differs, current, was }) => (
      <span class={differs ? '' : 'muted'}>
        {word}
        {word === 'moved' && current !== undefined && was !== undefined
          ? `: ${placeOf(current.scope, current.stagelet)}`
          : ''}
      </span>
    ),
  },
]

interface Props {
  readonly place: ProjectPlace
  /** Those that the filter lets through. */
  readonly rows: readonly ThenRow[]
  readonly revision: number
}

export const ThenList = ({ place, rows, revision }: Props) => {
  const [query = ''] = useQueryState('q')
  const [isBusy, setIsBusy] = useState(false)
  const { shown } = usePausedRows(rows, isBusy, `${query} ${revision}`)
  return (
    <Grid
      label={`Secrets of ${place.project} in revision ${revision}`}
      columns={useMemo(() => columnsOf(revision), [revision])}
      rows={shown}
      idOf={({ id }) => id}
      isMarked={({ differs }) => differs}
      onBusy={setIsBusy}
      empty="No secret matches this filter."
    />
  )
}
