// What one secret must not share with another of its project: identity, or the place of a file.
import { posix } from 'node:path'
import type { Fault } from '../kernel/errors.ts'
import { keyOf, refOf, type KubeObject } from '../resources/meta.ts'
import type { SecretSpec } from '../resources/stagelysecret.ts'
import { invalid } from './errors.ts'
import { projectOf } from './project-ref.ts'
import type { WriteSession } from './session.ts'
import { term } from './state/rows.ts'

const specOf = (object: KubeObject): SecretSpec => object.spec as SecretSpec

const sameIdentity = (a: SecretSpec, b: SecretSpec): boolean =>
  a.key === b.key && a.scope === b.scope && a.stageletRef?.name === b.stageletRef?.name

/** Both may be seen by one service of one stagelet. */
const mayMeet = (a: SecretSpec, b: SecretSpec): boolean =>
  (a.scope === 'global' || b.scope === 'global' || a.scope === b.scope) &&
  (a.stageletRef === undefined ||
    b.stageletRef === undefined ||
    a.stageletRef.name === b.stageletRef.name)

const normal = (path: string | undefined): string | undefined =>
  path === undefined ? undefined : posix.normalize(path).replace(/(?<=.)\/$/, '')

/** The field in which two file secrets want the same place; of one key, precedence chooses. */
const sharedPlace = (a: SecretSpec, b: SecretSpec): 'path' | 'target' | 'envVar' | undefined => {
  if (a.type !== 'file' || b.type !== 'file' || a.key === b.key || !mayMeet(a, b)) return undefined
  return (['path', 'target', 'envVar'] as const).find(
    (field) => a.file?.[field] !== undefined && normal(a.file[field]) === normal(b.file?.[field]),
  )
}

const duplicate = (field: string, text: string, why: string): Fault => ({
  field,
  reason: 'FieldValueDuplicate',
  message: `Duplicate value: ${JSON.stringify(text)}: ${why}`,
})

const neighboursOf = (session: WriteSession, object: KubeObject): KubeObject[] => {
  const ref = refOf(object)
  const { key, type } = specOf(object)
  const project = projectOf(object)
  const sameKey = session.select(term.secretsWithKey(project, key))
  const files = type === 'file' ? session.select(term.filesOf(project)) : []
  const rows = new Map([...sameKey, ...files].map((row) => [row.id, row.object]))
  rows.delete(keyOf(ref))
  return [...rows.values()]
}

/** Invalid, naming the other secret. */
export const checkNeighbours = (session: WriteSession, object: KubeObject): void => {
  const ref = refOf(object)
  const spec = specOf(object)
  const faults: Fault[] = []
  for (const other of neighboursOf(session, object)) {
    const name = other.metadata.name
    if (sameIdentity(spec, specOf(other))) {
      const what = spec.stageletRef === undefined ? 'key and scope' : 'key, scope and stagelet'
      const why = `secret "${name}" of project "${spec.projectRef.name}" has this ${what} already`
      faults.push(duplicate('spec.key', spec.key, why))
    }
    const field = sharedPlace(spec, specOf(other))
    if (field !== undefined) {
      const why = `secret "${name}" is placed there already, for a service that sees both`
      faults.push(duplicate(`spec.file.${field}`, spec.file?.[field] ?? '', why))
    }
  }
  if (faults.length > 0) throw invalid(ref, faults)
}
