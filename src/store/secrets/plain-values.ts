// Plain values: what may become one. Visibility decides who reads a value, so that the version says it, under the set MAC and
// within what the value is sealed for. The spec only asks for it. See ADR 0083.
import { rolesWith } from '../../access/roles.ts'
import type { Fault, StagelyError } from '../../kernel/errors.ts'
import { maxShownBytes } from '../../kinds/secret/schema.ts'
import { refOf, type KubeObject, type ObjectRef } from '../../resources/meta.ts'
import { specOf } from '../../kinds/typed.ts'
import { environmentSet } from '../../secrets/environment-set.ts'
import { isForService, isForStagelet, stageletOf } from '../../secrets/place.ts'
import { targetOf, viewersOf } from '../../secrets/references.ts'
import type { ProjectEntry, Seen } from '../../secrets/set-entry.ts'
import { systemSource } from '../core/actor.ts'
import { invalidObject, objectForbidden } from '../core/errors.ts'
import { refOfEntry, type ProjectState } from '../core/project-state.ts'
import type { StoredRow, WriteSession } from '../core/write-session.ts'
import { awaitsOf } from './awaited-values.ts'
import { mayLearn, type FoundValue } from './disclosure.ts'
import type { PreparedSecret } from './prepared-secret.ts'

export const isPlain = (object: KubeObject): boolean =>
  specOf('StagelySecret', object).visibility === 'Plain'

const refused = (ref: ObjectRef, field: string, message: string): StagelyError =>
  invalidObject(ref, [{ field, reason: 'FieldValueForbidden', message: `Forbidden: ${message}` }])

const needsReveal = (ref: ObjectRef): StagelyError => {
  const roles = rolesWith('get', 'stagelysecrets/value').join(', ')
  const why = `a masked secret becomes plain only by somebody who may read its value: that needs the right to get stagelysecrets/value (roles that have it: ${roles}), and in a guarded project a grant that was used (stagely access request)`
  return objectForbidden(ref, why, { why: 'Role', namespace: ref.namespace })
}

const givesValue = (object: KubeObject): boolean => {
  const { value, valueBase64 } = specOf('StagelySecret', object)
  return (value ?? valueBase64) !== undefined
}

/** A folder of manifests, or a cluster, has no rights of a person: it must give the value in plain text. */
const maySetPlain = (session: WriteSession, object: KubeObject, current: StoredRow): boolean => {
  const { source } = session.actor
  const isPerson = source === 'api' || source === systemSource
  return mayLearn(session, current.object) && (isPerson || givesValue(object))
}

interface Before {
  readonly before: ProjectEntry | undefined
  readonly current: StoredRow | undefined
}

/** Called before the value is known. A value that is put back is judged by its own version. */
export const checkBecomesPlain = (
  session: WriteSession,
  object: KubeObject,
  { before, current }: Before,
): void => {
  if (!isPlain(object) || current === undefined) return
  const wasPlain = before === undefined ? isPlain(current.object) : before.plain === true
  const ref = refOf(object)
  if (!wasPlain && !maySetPlain(session, object, current)) throw needsReveal(ref)
  if (awaitsOf(current.object) !== undefined && !givesValue(object))
    throw refused(
      ref,
      'spec.visibility',
      'its value waits for masked ones (status.awaits); give another value',
    )
}

/** True where no person has written the value that the secret gets. */
export const isMade = (
  object: KubeObject,
  { found, keeps, before, current }: Before & { found: FoundValue; keeps: boolean },
): boolean => {
  if (specOf('StagelySecret', object).valueFrom !== undefined || found.made === true) return true
  if (!keeps) return false
  const wasFrom = current && specOf('StagelySecret', current.object).valueFrom
  return before?.made === true || wasFrom !== undefined
}

/** Called when the value is known. */
export const checkPlainValue = (
  object: KubeObject,
  { made, isPutBack, found }: { made: boolean; isPutBack: boolean; found: FoundValue },
): void => {
  if (!isPlain(object)) return
  const ref = refOf(object)
  if (isPutBack && found.plain !== true)
    throw refused(ref, 'spec.visibility', 'the version that comes back was masked')
  if (made)
    throw refused(
      ref,
      'spec.visibility',
      'a Rotation, a store, a generator or another secret gave this value, which so stays masked; give another value',
    )
}

/** The template of a plain secret waits for values of stores, Rotations and the like, which are masked. */
export const checkPlainWaits = (object: KubeObject, awaits: readonly string[]): void => {
  if (isPlain(object)) throw invalidObject(refOf(object), awaits.map(maskedReference))
}

const maskedReference = (reference: string): Fault => ({
  field: 'spec.value',
  reason: 'FieldValueInvalid',
  message: `Invalid value: it refers to \${${reference}}, which is masked: a plain value refers only to plain ones`,
})

/**
 * At the end of a write: Invalid where a plain secret that it changes, or lets others see, refers to a masked one, as
 * whoever sees it sees the project. What another environment has under that key is no matter of it.
 */
export const checkPlainReferences = (session: WriteSession): void => {
  const changed = new Map<ProjectState, string[] | undefined>()
  for (const { project, entry } of session.secretChanges)
    changed.set(project, [...(changed.get(project) ?? []), entry.secretId])
  for (const { project } of session.layoutChanges) changed.set(project, undefined)
  const living = new Set(session.loaded.values())
  for (const [project, secretIds] of changed)
    if (living.has(project)) checkPlain(session, project, secretIds)
}

/** `secretIds`: those that have changed; absent: all. */
const checkPlain = (
  session: WriteSession,
  project: ProjectState,
  secretIds: readonly string[] | undefined,
): void => {
  const all = secretIds ?? session.headsOf(project.uid).map(({ entry }) => entry.secretId)
  const templates = all
    .map((secretId) => session.head(secretId))
    .filter((entry) => entry?.plain === true && entry.references !== undefined)
  if (templates.length === 0) return
  const entries = session.headsOf(project.uid).map((head) => head.entry)
  const laidOut = { entries, layout: project.layout }
  const seenBy = viewersOf(laidOut).map((viewer) =>
    environmentSet(laidOut, viewer).filter((entry) => isForStagelet(entry, stageletOf(viewer))),
  )
  for (const entry of templates as ProjectEntry[]) {
    const sets = seenBy.filter((set) => set.some(({ secretId }) => secretId === entry.secretId))
    const isMasked = (reference: string): boolean => {
      const { scope, key } = targetOf(entry, reference)
      const isTarget = (head: Seen<ProjectEntry>): boolean =>
        head.key === key && isForService(head, scope) && !head.plain
      return sets.some((set) => set.some(isTarget))
    }
    const masked = entry.references!.filter(isMasked)
    if (masked.length > 0)
      throw invalidObject(refOfEntry(project, entry), masked.map(maskedReference))
  }
}

/** What status.value shows of a value; undefined where it is no text, or too long. */
export const shownValue = ({ plain }: ProjectEntry, value: Buffer): string | undefined => {
  if (plain !== true || value.length > maxShownBytes) return undefined
  const text = value.toString('utf8')
  return Buffer.from(text).equals(value) ? text : undefined
}

/** Others may know the value. `before` is the version that it stays from. */
export const wasShown = (found: FoundValue, before: ProjectEntry | undefined): boolean =>
  found.wasPlain === true || before?.plain === true

/** For the audit log: who may read the value changes. */
export const newVisibility = ({ version, before }: PreparedSecret): string | undefined => {
  if (version === undefined || version.entry.plain === before?.plain) return undefined
  return version.entry.plain === true ? 'Plain' : 'Masked'
}
