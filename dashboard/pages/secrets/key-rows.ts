// Rows of the lenses that have one row for each key. Pure.
import type { Edit } from '../../staging/staging.ts'
import { asSecret, type ProjectPlace, type SecretRow } from './data.ts'
import type { KeyRow } from './places/lens-columns.tsx'
import { type Matrix } from './places/matrix.ts'
import { noRuns, type ServiceRef } from './places/run-count.ts'

export type HasKey = Pick<SecretRow, 'secret'> & { readonly edit?: Edit | undefined }

/** `rows` are in the order of their keys, but for the last of them. */
export const keyRows = (
  rows: readonly HasKey[],
  isThere: (key: string, edits: readonly Edit[]) => boolean,
): KeyRow[] => {
  const edits = new Map<string, Edit[]>()
  for (const { secret, edit } of rows) {
    const staged = edits.get(secret.key) ?? []
    if (edit !== undefined) staged.push(edit)
    edits.set(secret.key, staged)
  }
  return [...edits]
    .filter(([key, ofKey]) => isThere(key, ofKey))
    .map(([key, ofKey]) => ({ id: key, key, edits: ofKey, isStaged: ofKey.length > 0 }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
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
