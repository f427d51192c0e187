// The secrets as a matrix: keys by the services of one stagelet, by environments, or by all stagelets. A cell leads to why.
import { useLocation } from 'preact-iso'
import { useMemo, useState } from 'preact/hooks'
import { environmentRows } from '../../../../src/secrets/environment-rows.ts'
import { useQueryState } from '../../../session/team.ts'
import type { Edit } from '../../../staging/staging.ts'
import { Grid } from '../../../ui/grid/grid.tsx'
import { stageletUrl } from '../../../ui/text/links.ts'
import { Empty } from '../../../ui/page.tsx'
import { isStagedIn } from '../cells.ts'
import type { ClassOf } from '../classes.ts'
import type { ProjectPlace, ProjectSecrets, SecretRow } from '../../project/data.ts'
import { parseFilter } from '../filter/filter.ts'
import { composeOnly, environmentKeyRows, keyRows, type HasKey } from '../key-rows.ts'
import {
  environmentColumns,
  isEnvironmentRow,
  servicesIn,
  valuesColumn,
} from './environment-columns.tsx'
import { acrossColumns, serviceColumns, type KeyRow } from './lens-columns.tsx'
import type { ServiceRef } from '../../project/run-count.ts'
import { entryOf, winnerOf } from '../../project/set-index.ts'
import { NewRowsButton, usePausedRows } from '../paused-rows.tsx'

export interface SecretActions {
  readonly edit: (row?: SecretRow, preset?: Preset) => boolean
  readonly remove: (row: SecretRow) => boolean
  readonly takeBack: (edit: Edit) => void
}

/** What a new secret begins with. */
export interface Preset {
  readonly key?: string
  readonly stagelet?: string
  readonly scope?: string
  readonly environments?: readonly string[]
}

interface Props {
  readonly place: ProjectPlace
  readonly all: ProjectSecrets
  /** Rows of the list that the filter lets through. */
  readonly rows: readonly HasKey[]
  readonly classOf: ClassOf
  /** undefined: all environments or stagelets. */
  readonly stagelet: string | undefined
  /** The columns where no stagelet is meant; empty: stagelets are. */
  readonly environments: Parameters<typeof environmentRows>[1]
  readonly actions: SecretActions
  /** The list is read whole. */
  readonly isReady: boolean
  /** Nothing may be staged: an earlier revision is shown. */
  readonly isPast: boolean
}

const isNarrow = (): boolean => window.innerWidth < 720

/** The service that a cell is about: the first that does not run what it should, else the first that sees the key. */
const serviceToExplain = (
  { matrix }: ProjectSecrets,
  key: string,
  serviceRefs: readonly ServiceRef[],
) => {
  const withKey = serviceRefs.filter((serviceRef) => matrix.cellOf(key, [serviceRef]) !== undefined)
  return (
    withKey.find((serviceRef) => matrix.cellOf(key, [serviceRef])?.word !== 'current') ??
    withKey[0] ??
    serviceRefs[0]
  )
}

const useKeys = ({ place, all, rows, stagelet, environments }: Props): readonly KeyRow[] => {
  const [query = ''] = useQueryState('q')
  return useMemo(() => {
    const { matrix } = all
    if (stagelet === undefined)
      return environments.length === 0
        ? keyRows(rows, () => true)
        : environmentKeyRows(rows, environmentRows(all.secrets.map(entryOf), environments))
    const serviceRefs = matrix.serviceRefsOf(stagelet)
    const isThere = (key: string, edits: readonly Edit[]): boolean =>
      matrix.cellOf(key, serviceRefs) !== undefined ||
      serviceRefs.some(
        (serviceRef) => all.then !== undefined && winnerOf(all.then, serviceRef, key) !== undefined,
      ) ||
      edits.some((edit) => isStagedIn(edit, serviceRefs, matrix))
    const { test } = parseFilter(query)
    const fromCompose = composeOnly(matrix, serviceRefs, place).filter((row) =>
      test(row, { isShared: () => false }),
    )
    return keyRows([...rows, ...fromCompose], isThere)
  }, [rows, all, stagelet, environments, query])
}

type RefsAt = (row: KeyRow, column: string) => readonly ServiceRef[]

const useCellKeys = (props: Props, serviceRefsAt: RefsAt) => {
  const { all, place, actions, isPast } = props
  const { route } = useLocation()
  const why = (row: KeyRow, column: string): boolean => {
    const serviceRef = serviceToExplain(all, row.key, serviceRefsAt(row, column))
    if (serviceRef === undefined) return false
    const query = new URLSearchParams({ tab: 'why', service: serviceRef.service, key: row.key })
    route(`${stageletUrl({ team: place.team, name: serviceRef.stagelet })}?${query}`)
    return true
  }
  /** The one secret that the cell shows. */
  const rowAt = (row: KeyRow, column: string): SecretRow | undefined => {
    const ids = isEnvironmentRow(row)
      ? [row.environments.get(column)?.secretId]
      : all.matrix
          .cellOf(row.key, serviceRefsAt(row, column))
          ?.winners.map(({ secretId }) => secretId)
    const [id, other] = ids ?? []
    return other === undefined ? all.rows.find((listed) => listed.id === id) : undefined
  }
  const onKey = (pressed: string, row: KeyRow, column: string): boolean => {
    if (pressed === 'w') return why(row, column)
    if (isPast) return false
    const found = column === 'key' ? undefined : rowAt(row, column)
    if (pressed === 'e')
      return found === undefined
        ? actions.edit(undefined, presetAt(row, column, props.stagelet))
        : actions.edit(found)
    if (pressed === 'Delete') return found !== undefined && actions.remove(found)
    const serviceRefs = serviceRefsAt(row, column)
    const cell = all.matrix.cellOf(row.key, serviceRefs)
    const edit = row.edits.find(
      (edit) => column === 'key' || isStagedIn(edit, serviceRefs, { head: all.matrix.head, cell }),
    )
    if (pressed !== 'z' || edit === undefined) return false
    actions.takeBack(edit)
    return true
  }
  return { why, onKey }
}

/** What a new secret of this cell begins with. */
const presetAt = (row: KeyRow, column: string, stagelet: string | undefined): Preset => {
  if (isEnvironmentRow(row)) {
    const { key, scope } = row
    const isPlace = column !== 'key' && column !== valuesColumn
    return { key, scope, ...(isPlace && { environments: [column] }) }
  }
  return { key: row.key, ...(column !== 'key' && { stagelet: stagelet ?? column }) }
}

export const LensGrid = (props: Props) => {
  const { place, all, classOf, stagelet, environments } = props
  const { matrix } = all
  const [, setOpened] = useQueryState('secret')
  const [query = ''] = useQueryState('q')
  const [isBusy, setIsBusy] = useState(false)
  const { shown, held, showNew } = usePausedRows(
    useKeys(props),
    isBusy && props.isReady,
    `${query} ${stagelet}`,
  )
  const columns = useMemo(() => {
    const lens = { all, classOf, isNarrow: isNarrow() }
    if (stagelet !== undefined) return serviceColumns(lens, matrix.serviceRefsOf(stagelet))
    return environments.length === 0
      ? acrossColumns(lens)
      : environmentColumns(
          lens,
          environments.map(({ name }) => name),
        )
  }, [all.stagelets, all.then, matrix, classOf, stagelet, environments])
  const serviceRefsAt: RefsAt = (row, column) => {
    if (isEnvironmentRow(row)) return servicesIn(matrix, row, column)
    return stagelet === undefined
      ? matrix.serviceRefsOf(column)
      : matrix
          .serviceRefsOf(stagelet)
          .filter(({ service }) => service === column || column === 'key')
  }
  const { why, onKey } = useCellKeys(props, serviceRefsAt)
  const openKey = (key: string): void => {
    const [first] = all.rows.filter(({ secret }) => secret.key === key)
    if (first !== undefined)
      setOpened(first.secret.name === '' ? first.id : first.secret.name, true)
  }
  if (columns.length === 1)
    return (
      <Empty
        title={
          stagelet === undefined || stagelet === ''
            ? 'No stagelets yet'
            : `No agent has reported services of ${stagelet}`
        }
      >
        The secrets of each container are shown here once an agent has reported its services.
      </Empty>
    )
  return (
    <>
      <NewRowsButton count={held} onShow={showNew} />
      <Grid
        key={stagelet ?? `by ${environments.length}`}
        label={
          stagelet === undefined
            ? `Secrets of ${place.project}, by ${environments.length === 0 ? 'stagelet' : 'environment'}`
            : `Secrets of the services of ${stagelet}`
        }
        columns={columns}
        rows={shown}
        idOf={({ id }) => id}
        isMarked={({ edits }) => edits.length > 0}
        onOpen={(row, column) => {
          if (column === 'key') openKey(row.key)
          else why(row, column)
        }}
        onKey={onKey}
        onBusy={setIsBusy}
        empty="No secret matches this filter."
      />
    </>
  )
}
