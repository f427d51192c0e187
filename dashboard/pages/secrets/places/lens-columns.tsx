// The columns of the lenses that are a matrix: services of one stagelet, or all stagelets.
import type { Edit } from '../../../staging/staging.ts'
import type { Column } from '../../../ui/grid/grid.tsx'
import { CutName } from './cut-name.tsx'
import { Glyph } from '../../../ui/state.tsx'
import { stageletState } from '../../../live/states.ts'
import {
  acrossSentence,
  isStagedIn,
  lettersOf,
  winnerPlace,
  serviceSentence,
  versusOf,
  versusWords,
  type Versus,
} from '../cells.ts'
import type { ClassOf } from '../classes.ts'
import type { ProjectSecrets } from '../../project/data.ts'
import type { SetIndex } from '../../project/set-index.ts'
import type { Cell } from '../../project/matrix.ts'
import type { ServiceRef } from '../../project/run-count.ts'
import s from './lenses.module.css'

/** One key; its secrets may be in several places. */
export interface KeyRow {
  readonly id: string
  readonly key: string
  /** Of a row that is about one scope. */
  readonly scope?: string
  readonly edits: readonly Edit[]
  readonly isStaged: boolean
}

export interface LensOf {
  readonly all: ProjectSecrets
  readonly classOf: ClassOf
  readonly isNarrow: boolean
}

export const keyColumn = ({ isNarrow }: LensOf): Column<KeyRow> => ({
  id: 'key',
  title: 'Key',
  width: isNarrow ? 148 : 264,
  render: ({ key, scope }) => (
    <>
      <span class={s['key']} title={key}>
        {key}
      </span>
      {scope === undefined ? null : <span class="muted">{scope}</span>}
    </>
  ),
})

/** The sentence of the cell says the same: what is drawn here is no text. */
export const Letters = ({ letters }: { readonly letters: string }) =>
  letters === '' ? null : <span class={s['letter']} data-sign={letters} />

const Sign = ({ text }: { readonly text: string | number }) => (
  <span class={s['sign']} data-sign={text} />
)

const signs: Readonly<Record<Versus, string>> = { same: '=', other: '≠', gone: '−', new: '+' }

export const Then = ({ versus }: { readonly versus: Versus | undefined }) =>
  versus === undefined ? null : (
    <span class={versus === 'same' ? 'muted' : s['differs']}>
      <Sign text={signs[versus]} /> {versus === 'same' ? '' : versusWords[versus]}
    </span>
  )

export const thenSentence = (where: string, versus: Versus | undefined): string =>
  `${where}: ${versus === undefined ? 'not set then and now' : versusWords[versus]}`

/** In how many services the newest value runs. */
export const RunsSign = ({ cell: { current, total } }: { readonly cell: Cell }) => (
  <Sign text={current === total ? total : `${current}/${total}`} />
)

export const Staged = ({
  row,
  serviceRefs,
  cell,
  head,
}: {
  row: KeyRow
  serviceRefs: readonly ServiceRef[]
  cell: Cell | undefined
  head: SetIndex
}) =>
  row.edits.some((edit) => isStagedIn(edit, serviceRefs, { head, cell })) ? (
    <Glyph kind="staged" />
  ) : null

/** Stagelets of which some service has the key; a key that no stagelet has is missing nowhere. */
const createMissing = ({ stagelets, matrix }: ProjectSecrets) => {
  const cache = new Map<string, boolean>()
  return (key: string, serviceRefs: readonly ServiceRef[]): boolean => {
    if (serviceRefs.length === 0) return false
    let isSomewhere = cache.get(key)
    if (isSomewhere === undefined) {
      isSomewhere = stagelets.some(
        ({ name }) => matrix.cellOf(key, matrix.serviceRefsOf(name)) !== undefined,
      )
      cache.set(key, isSomewhere)
    }
    return isSomewhere
  }
}

export const acrossColumns = (lens: LensOf): readonly Column<KeyRow>[] => {
  const { stagelets, matrix, then } = lens.all
  const isMissing = createMissing(lens.all)
  return [
    keyColumn(lens),
    ...stagelets.map((stagelet): Column<KeyRow> => {
      const serviceRefs = matrix.serviceRefsOf(stagelet.name)
      const { kind } = stageletState(stagelet)
      return {
        id: stagelet.name,
        title: (
          <span class={s['column']} title={stagelet.name}>
            <Glyph kind={kind} />
            <CutName name={stagelet.name} />
          </span>
        ),
        width: then === undefined ? 136 : 168,
        label: ({ key }) => {
          if (then !== undefined)
            return thenSentence(
              `${key} in ${stagelet.name}`,
              versusOf(then, matrix, key, serviceRefs),
            )
          const cell = matrix.cellOf(key, serviceRefs)
          return acrossSentence(key, stagelet.name, {
            cell,
            letters: cell === undefined ? '' : lettersOf(cell, lens.classOf),
            isMissing: cell === undefined && isMissing(key, serviceRefs),
          })
        },
        render: (row) => {
          if (then !== undefined)
            return <Then versus={versusOf(then, matrix, row.key, serviceRefs)} />
          const cell = matrix.cellOf(row.key, serviceRefs)
          const staged = (
            <Staged row={row} serviceRefs={serviceRefs} cell={cell} head={matrix.head} />
          )
          if (cell === undefined)
            return (
              <>
                {staged}
                {isMissing(row.key, serviceRefs) ? <span class={s['missing']}>missing</span> : null}
              </>
            )
          if (cell.total === 0)
            return (
              <>
                {staged}
                <span class="muted">compose</span>
              </>
            )
          return (
            <>
              {staged}
              <Glyph kind={cell.kind} />
              <RunsSign cell={cell} />
              <Letters letters={lettersOf(cell, lens.classOf)} />
            </>
          )
        },
      }
    }),
  ]
}

export const serviceColumns = (
  lens: LensOf,
  serviceRefs: readonly ServiceRef[],
): readonly Column<KeyRow>[] => {
  const { matrix, then } = lens.all
  return [
    keyColumn(lens),
    ...serviceRefs.map((serviceRef): Column<KeyRow> => {
      const only = [serviceRef]
      return {
        id: serviceRef.service,
        title: (
          <span class={s['column']} title={serviceRef.service}>
            <CutName name={serviceRef.service} />
          </span>
        ),
        width: 196,
        label: ({ key }) => {
          if (then !== undefined)
            return thenSentence(
              `${key} in ${serviceRef.service} of ${serviceRef.stagelet}`,
              versusOf(then, matrix, key, only),
            )
          const cell = matrix.cellOf(key, only)
          return serviceSentence(
            key,
            serviceRef,
            cell,
            cell === undefined ? '' : lettersOf(cell, lens.classOf),
          )
        },
        render: (row) => {
          if (then !== undefined) return <Then versus={versusOf(then, matrix, row.key, only)} />
          const cell = matrix.cellOf(row.key, only)
          const winner = cell?.winners[0]
          return (
            <>
              <Staged row={row} serviceRefs={only} cell={cell} head={matrix.head} />
              {cell === undefined ? (
                <span class="muted">–</span>
              ) : winner === undefined ? (
                <span class="muted">compose</span>
              ) : (
                <>
                  <Glyph kind={cell.kind} />
                  <span class={s['origin']}>{winnerPlace(winner)}</span>
                  <Sign text={`v${winner.version}`} />
                  <Letters letters={lettersOf(cell, lens.classOf)} />
                </>
              )}
            </>
          )
        },
      }
    }),
  ]
}
