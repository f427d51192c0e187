// What must hold of a secret before it is stored, apart from its value: fields that never change, its end, its audience,
// and what it must not share with other secrets of its project: identity, or the place of a file.
import { posix } from 'node:path'
import type { Fault } from '../../kernel/errors.ts'
import { checkEnd } from '../../kinds/secret/expiry.ts'
import { keyOf, refOf, type KubeObject } from '../../resources/meta.ts'
import type { SecretSpec } from '../../kinds/secret/schema.ts'
import { specOf } from '../../kinds/typed.ts'
import {
  collide,
  isForController,
  namedPlaceOf,
  overlaps,
  sharedEnvironment,
} from '../../secrets/place.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import { objectConflict, invalidObject } from '../core/errors.ts'
import { projectRefOf } from '../../resources/project-ref.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import { term } from '../state/rows.ts'
import { toldObject } from '../places/places.ts'
import { followersOf } from './followers.ts'

const throwAny = (object: KubeObject, faults: readonly Fault[]): void => {
  if (faults.length > 0) throw invalidObject(refOf(object), faults)
}

export const checkImmutable = (object: KubeObject, current: KubeObject): void => {
  const next = specOf('StagelySecret', object)
  const old = specOf('StagelySecret', current)
  const message = 'Forbidden: field is immutable; delete the secret and create it anew'
  const changed = [
    ...(next.projectRef.name === old.projectRef.name ? [] : ['spec.projectRef.name']),
    ...(next.key === old.key ? [] : ['spec.key']),
  ]
  throwAny(
    object,
    changed.map((field) => ({ field, reason: 'FieldValueForbidden', message })),
  )
}

export const checkEndOfValue = (
  session: WriteSession,
  object: KubeObject,
  current: StoredRow | undefined,
): void => {
  const before = current && specOf('StagelySecret', current.object).expiry
  throwAny(object, checkEnd(specOf('StagelySecret', object).expiry, before, session.nowMs))
}

/** A value that was given for the controller alone never becomes a variable of a container. */
export const checkAudience = (
  session: WriteSession,
  object: KubeObject,
  before: ProjectEntry | undefined,
): void => {
  const { audience, projectRef } = specOf('StagelySecret', object)
  const isHidden = audience === 'Controller'
  if (!isHidden && before !== undefined && isForController(before))
    throwAny(object, [{ field: 'spec.audience', ...staysHidden }])
  const [follower] = isHidden ? followersOf(session, refOf(object), projectRef.name) : []
  if (follower === undefined) return
  const message = `Forbidden: ${toldObject(session, follower.object)} takes its value from this one (valueFrom.secretRef): change or delete that one first`
  throwAny(object, [{ field: 'spec.audience', reason: 'FieldValueForbidden', message }])
}

/** Fault of a secret whose value was given for the controller. */
export const staysHidden = {
  reason: 'FieldValueForbidden',
  message:
    'Forbidden: a value that was given for the controller alone never becomes one for services; make a new secret',
} as const

const normal = (path: string | undefined): string | undefined =>
  path === undefined ? undefined : posix.normalize(path).replace(/(?<=.)\/$/, '')

/** The field in which two file secrets name the same place. Of secrets with one key, a service gets only one. */
const sharedPlace = (a: SecretSpec, b: SecretSpec): 'path' | 'target' | 'envVar' | undefined => {
  if (a.type !== 'file' || b.type !== 'file' || a.key === b.key) return undefined
  if (!overlaps(namedPlaceOf(a), namedPlaceOf(b))) return undefined
  return (['path', 'target', 'envVar'] as const).find(
    (field) => a.file?.[field] !== undefined && normal(a.file[field]) === normal(b.file?.[field]),
  )
}

const duplicate = (field: string, text: string, why: string): Fault => ({
  field,
  reason: 'FieldValueDuplicate',
  message: `Duplicate value: ${JSON.stringify(text)}: ${why}`,
})

/** Other secrets of the project with the same key, and for a file all other files. */
const neighboursOf = (session: WriteSession, object: KubeObject): KubeObject[] => {
  const { key, type } = specOf('StagelySecret', object)
  const project = projectRefOf(object)
  const sameKey = session.select(term.secretsWithKey(project, key))
  const files = type === 'file' ? session.select(term.filesOf(project)) : []
  const rows = new Map([...sameKey, ...files].map((row) => [row.id, row.object]))
  rows.delete(keyOf(refOf(object)))
  return [...rows.values()]
}

/** Invalid, naming the other secret. */
export const checkNeighbours = (session: WriteSession, object: KubeObject): void => {
  const spec = specOf('StagelySecret', object)
  const faults: Fault[] = []
  for (const other of neighboursOf(session, object)) {
    const told = toldObject(session, other)
    const its = specOf('StagelySecret', other)
    if (spec.key === its.key && collide(namedPlaceOf(spec), namedPlaceOf(its))) {
      const shared = sharedEnvironment(spec, its)
      if (shared !== undefined)
        throw objectConflict(
          refOf(object),
          `${told} has key ${spec.key} and scope ${spec.scope} in environment "${shared}" already: let the lists of environments not meet`,
        )
      const what = spec.stageletRef === undefined ? 'key and scope' : 'key, scope and stagelet'
      const why = `${told} of project "${spec.projectRef.name}" has this ${what} already`
      faults.push(duplicate('spec.key', spec.key, why))
    }
    const field = sharedPlace(spec, its)
    if (field !== undefined) {
      const why = `${told} is placed there already, for a service that sees both`
      faults.push(duplicate(`spec.file.${field}`, spec.file?.[field] ?? '', why))
    }
  }
  throwAny(object, faults)
}
