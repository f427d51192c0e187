// The columns of the lens across where it shows environments: which of them has a key of a service, whose value they
// share, and how they differ.
import {
  compareEnvironments,
  comparisonText,
  type AreEqual,
  type KeyInEnvironment,
} from '../../../../src/secrets/environment-rows.ts'
import { isForService } from '../../../../src/secrets/place.ts'
import type { ComponentChild } from 'preact'
import type { Column } from '../../../ui/grid/grid.tsx'
import { Glyph } from '../../../ui/state.tsx'
import { environmentSentence, versusOf } from '../cells.ts'
import type { ClassOf } from '../classes.ts'
import { winnerOf } from '../../project/set-index.ts'
import { CutName } from './cut-name.tsx'
import {
  keyColumn,
  Letters,
  RunsSign,
  Staged,
  Then,
  thenSentence,
  type KeyRow,
  type LensOf,
} from './lens-columns.tsx'
import type { Matrix } from '../../project/matrix.ts'
import type { ServiceRef } from '../../project/run-count.ts'
import s from './lenses.module.css'

/** A key of one scope, as environments see it. */
export interface EnvironmentKeyRow extends KeyRow {
  readonly scope: string
  readonly environments: ReadonlyMap<string, KeyInEnvironment>
  /** Stagelets that have a secret of their own. */
  readonly stagelets: readonly string[]
}

export const isEnvironmentRow = (row: KeyRow): row is EnvironmentKeyRow => 'environments' in row

const ofRow =
  <R,>(show: (row: EnvironmentKeyRow) => R, other: R) =>
  (row: KeyRow): R =>
    isEnvironmentRow(row) ? show(row) : other

/** The services of an environment that see what the cell is about. */
export const servicesIn = (
  { head, serviceRefs }: Pick<Matrix, 'head' | 'serviceRefs'>,
  row: EnvironmentKeyRow,
  environment: string,
): readonly ServiceRef[] => {
  const there = row.environments.get(environment)
  return serviceRefs.filter(
    (serviceRef) =>
      head.layout.stagelets.get(serviceRef.stagelet) === environment &&
      isForService(row, serviceRef.service) &&
      (there === undefined || winnerOf(head, serviceRef, row.key)?.secretId === there.secretId),
  )
}

/** What is compared are letters: nobody reads a value for them. */
const equalBy =
  (classOf: ClassOf): AreEqual =>
  (here, there) => {
    const [a, b] = [classOf(here.secretId), classOf(there.secretId)]
    return a === undefined || b === undefined ? undefined : a.letter === b.letter
  }

const fromWords = { Own: 'own', Inherited: 'inherited' } as const

const environmentColumn = (lens: LensOf, name: string): Column<KeyRow> => {
  const { matrix, then } = lens.all
  const letterOf = (there: KeyInEnvironment | undefined): string =>
    (there && lens.classOf(there.secretId)?.letter) ?? ''
  return {
    id: name,
    title: (
      <span class={s['column']} title={name}>
        <CutName name={name} />
      </span>
    ),
    width: 168,
    label: ofRow((row) => {
      const serviceRefs = servicesIn(matrix, row, name)
      const where = `${row.key} of ${row.scope} in ${name}`
      if (then !== undefined)
        return thenSentence(where, versusOf(then, matrix, row.key, serviceRefs))
      const there = row.environments.get(name)
      return environmentSentence(where, {
        from: there?.from,
        cell: matrix.cellOf(row.key, serviceRefs),
        letter: letterOf(there),
        isMissing: row.environments.size > 0,
      })
    }, ''),
    render: ofRow<ComponentChild>((row) => {
      const serviceRefs = servicesIn(matrix, row, name)
      if (then !== undefined) return <Then versus={versusOf(then, matrix, row.key, serviceRefs)} />
      const there = row.environments.get(name)
      const cell = there && matrix.cellOf(row.key, serviceRefs)
      const staged = <Staged row={row} serviceRefs={serviceRefs} cell={cell} head={matrix.head} />
      if (there === undefined)
        return (
          <>
            {staged}
            {row.environments.size > 0 ? <span class={s['missing']}>missing</span> : null}
          </>
        )
      return (
        <>
          {staged}
          {cell === undefined || cell.total === 0 ? null : (
            <>
              <Glyph kind={cell.kind} />
              <RunsSign cell={cell} />
            </>
          )}
          <span class={there.from === 'Own' ? s['origin'] : 'muted'}>{fromWords[there.from]}</span>
          <Letters letters={letterOf(there)} />
        </>
      )
    }, null),
  }
}

export const environmentColumns = (
  lens: LensOf,
  environments: readonly string[],
): readonly Column<KeyRow>[] => {
  const areEqual = equalBy(lens.classOf)
  const valuesText = ({ environments: found, stagelets }: EnvironmentKeyRow): string => {
    const difference = compareEnvironments({ environments: found }, environments, areEqual)
    return [
      ...(difference === undefined ? [] : [comparisonText(difference, environments)]),
      ...(stagelets.length === 0 ? [] : [`another one in ${stagelets.join(', ')}`]),
    ].join('; ')
  }
  return [
    keyColumn(lens),
    ...environments.map((name) => environmentColumn(lens, name)),
    ...(lens.all.then === undefined && environments.length > 1
      ? [
          {
            id: valuesColumn,
            title: 'Values',
            width: 264,
            label: ofRow((row) => `${row.key} of ${row.scope}: ${valuesText(row)}`, ''),
            render: ofRow<ComponentChild>(
              (row) => <span class="muted">{valuesText(row)}</span>,
              null,
            ),
          },
        ]
      : []),
  ]
}

/** No environment has such a name. */
export const valuesColumn = '='
