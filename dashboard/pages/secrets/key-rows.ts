// Rows of the lenses that have one row for each key, or for each key of a scope. Pure.
import { grouped } from '../../../src/kernel/grouped.ts'
import { rowId, type EnvironmentRow } from '../../../src/secrets/environment-rows.ts'
import type { Edit } from '../../staging/staging.ts'
import { asSecret, type ProjectPlace, type SecretRow } from '../project/data.ts'
import type { EnvironmentKeyRow } from './places/environment-columns.tsx'
import type { KeyRow } from './places/lens-columns.tsx'
import { type Matrix } from '../project/matrix.ts'
import { byText } from '../project/listing.ts'
import { noRuns, type ServiceRef } from '../project/run-count.ts'

export type HasKey = Pick<SecretRow, 'secret'> & { readonly edit?: Edit | undefined }

/** `rows` are in the order of their keys, but for the last of them. */
export const keyRows = (
  rows: readonly HasKey[],
  isThere: (key: string, edits: readonly Edit[]) => boolean,
): KeyRow[] => {
  return [...grouped(rows, ({ secret }) => secret.key)]
    .map(([key, same]) => rowOf(key, key, same))
    .filter(({ key, edits }) => isThere(key, edits))
    .sort((a, b) => byText(a.key, b.key))
}

const rowOf = (id: string, key: string, same: readonly HasKey[]): KeyRow => {
  const edits = same.flatMap(({ edit }) => edit ?? [])
  return { id, key, edits, isStaged: edits.length > 0 }
}

/** One row for each key of a scope, with what environments see of it. */
export const environmentKeyRows = (
  rows: readonly HasKey[],
  found: readonly EnvironmentRow[],
): EnvironmentKeyRow[] => {
  const byId = new Map(found.map((row) => [rowId(row), row]))
  return [...grouped(rows, ({ secret }) => rowId(secret))]
    .map(([id, same]) => {
      const { key, scope } = same[0]!.secret
      const { environments = new Map<never, never>(), stagelets = [] } = byId.get(id) ?? {}
      return { ...rowOf(id, key, same), scope, environments, stagelets }
    })
    .sort((a, b) => byText(a.id, b.id))
}

/** Keys that services have from the Compose file alone, as rows for the filter. */
export const composeOnly = (
  { head }: Pick<Matrix, 'head'>,
  serviceRefs: readonly ServiceRef[],
  place: ProjectPlace,
): SecretRow[] => {
  const keys = new Set(serviceRefs.flatMap(({ status }) => status.compose_keys ?? []))
  return [...keys]
    .filter((key) => head.of(key).length === 0)
    .map((key) => {
      const secret = asSecret({ id: 0, op: 'create', key, scope: 'compose', type: 'env' }, place)
      return { id: key, secret, runs: noRuns, edit: undefined, isStaged: false }
    })
}
