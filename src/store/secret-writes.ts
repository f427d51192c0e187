// Admission of StagelySecrets: a value comes in by the spec, is digested and sealed, and is gone
// from the object before anything is stored.
import type { Fault } from '../kernel/errors.ts'
import { cleanLastApplied } from '../resources/last-applied.ts'
import { annotations, refOf, type KubeObject } from '../resources/meta.ts'
import { checkEnd } from '../resources/expiry.ts'
import { checkValue, valueFields } from '../resources/secret-value.ts'
import type { SecretSpec } from '../resources/stagelysecret.ts'
import { valueDigest } from '../secrets/digest.ts'
import { isForController, stageletIn } from '../secrets/set-entry.ts'
import type { SetEntry } from '../secrets/visible.ts'
import { sameJson } from './canonical.ts'
import { invalid } from './errors.ts'
import { confirmRing, projectRing } from './keys/project-ring.ts'
import { ensureProject, type ProjectState } from './projects.ts'
import { projectOf } from './project-ref.ts'
import { checkNeighbours } from './secret-neighbours.ts'
import { withLearntEnd } from './secret-status.ts'
import type { StoredRow, WriteSession } from './session.ts'
import { followedBy, followedValue, followersOf, sinceOf } from './values/followers.ts'
import { generatedValue, valueInSpec } from './values/spec-value.ts'
import {
  changesRule,
  checkDisclosure,
  checkFetchedDisclosure,
  type FoundValue,
} from './values/disclosure.ts'
import { checkNotFollowed, referencesOf } from './values/references.ts'
import { lastVersion, openHeads } from './secret-versions.ts'

export interface NewVersion extends FoundValue {
  readonly entry: SetEntry
  /** It is the value of before in another place. */
  readonly keeps: boolean
  /** By this write, and not by the controller, by another secret or by history. */
  readonly isGiven: boolean
}

/** The object as it will be stored, and the version that goes with it. */
export interface PreparedSecret {
  readonly object: KubeObject
  /** Entry and bytes of a new version; undefined when value and place are as before. */
  readonly version: NewVersion | undefined
  /** What is current until then. */
  readonly before: SetEntry | undefined
  readonly project: ProjectState
  /** True: the same value was given again, and tells what its status did not know. */
  readonly learns?: boolean
}

const specOf = (object: KubeObject): SecretSpec => object.spec as SecretSpec

/** kubectl keeps the whole manifest in an annotation: it stays, without the value. */
const stripLastApplied = (object: KubeObject): KubeObject => {
  const text = object.metadata.annotations?.[annotations.lastApplied]
  if (text === undefined) return object
  const { [annotations.lastApplied]: _, ...others } = object.metadata.annotations ?? {}
  const clean = cleanLastApplied(text)
  const kept = clean === undefined ? {} : { [annotations.lastApplied]: clean }
  return { ...object, metadata: { ...object.metadata, annotations: { ...others, ...kept } } }
}

const hidden = new Set<string>(valueFields)

/** The object without its value, wherever that is. */
const stripValue = (object: KubeObject): KubeObject => {
  const spec = Object.entries(object.spec ?? {}).filter(([name]) => !hidden.has(name))
  return stripLastApplied({ ...object, spec: Object.fromEntries(spec) })
}

/** The project that the secret names. It need not be declared yet: then its row begins with the secret. */
const projectOfSecret = (session: WriteSession, object: KubeObject): Promise<ProjectState> => {
  const { kind, namespace, name } = projectOf(object)
  const { apiVersion } = object
  return ensureProject(session, { apiVersion, kind, metadata: { namespace, name }, spec: {} })
}

const checkImmutable = (object: KubeObject, current: KubeObject): void => {
  const [next, old] = [specOf(object), specOf(current)]
  const faults: Fault[] = []
  const check = (field: string, same: boolean): void => {
    const message = 'Forbidden: field is immutable; delete the secret and create it anew'
    if (!same) faults.push({ field, reason: 'FieldValueForbidden', message })
  }
  check('spec.projectRef.name', next.projectRef.name === old.projectRef.name)
  check('spec.key', next.key === old.key)
  if (faults.length > 0) throw invalid(refOf(object), faults)
}

const checkEndOf = (
  session: WriteSession,
  object: KubeObject,
  current: StoredRow | undefined,
): void => {
  const before = current === undefined ? undefined : specOf(current.object).expiry
  const faults = checkEnd(specOf(object).expiry, before, session.nowMs)
  if (faults.length > 0) throw invalid(refOf(object), faults)
}

/** What the controller alone may use never becomes a variable of somebody's container. */
const checkAudience = (
  session: WriteSession,
  object: KubeObject,
  before: SetEntry | undefined,
): void => {
  const ref = refOf(object)
  const isHidden = specOf(object).audience === 'Controller'
  if (!isHidden && before !== undefined && isForController(before))
    throw invalid(ref, [{ field: 'spec.audience', ...onceHidden }])
  const [follower] = isHidden ? followersOf(session, ref, specOf(object).projectRef.name) : []
  if (follower === undefined) return
  const message = `Forbidden: secret "${follower.object.metadata.name}" takes its value from this one (valueFrom.secretRef): change or delete that one first`
  throw invalid(ref, [{ field: 'spec.audience', reason: 'FieldValueForbidden', message }])
}

/** Of what was written for the controller. */
export const onceHidden = {
  reason: 'FieldValueForbidden',
  message:
    'Forbidden: a value that was given for the controller alone never becomes one for services; make a new secret',
} as const

/** Compares digests: the stored value is not opened. */
export const holdsValue = async (session: WriteSession, object: KubeObject): Promise<boolean> => {
  const value = valueInSpec(session, object)
  const row = value === undefined ? undefined : session.fetch(refOf(object))
  if (value === undefined || row === undefined) return false
  const head = session.head(row.uid)
  if (head === undefined) return false
  const project = await projectOfSecret(session, row.object)
  const { key, type, file, valueDigest: stored } = head
  const refers = specOf(object).references === true
  return valueDigest(project.digestKey, { type, key, value, file, refers }) === stored
}

const placeOf = (spec: SecretSpec): unknown => [
  spec.scope,
  spec.type,
  stageletIn(spec),
  spec.file,
  spec.references === true,
]
const placeOfEntry = (e: SetEntry): unknown => [
  e.scope,
  e.type,
  e.stagelet,
  e.file,
  e.references !== undefined,
]

/** The value that the spec gives, in one way or another; else the stored one, where a new place or format needs it. */
const findValue = async (
  session: WriteSession,
  project: ProjectState,
  object: KubeObject,
  { head, current }: { head: SetEntry | undefined; current: StoredRow | undefined },
): Promise<FoundValue | undefined> => {
  const spec = specOf(object)
  const written = valueInSpec(session, object)
  if (written !== undefined && spec.sealedValue !== undefined)
    return { value: written, origin: (await holdsValue(session, object)) ? 'stored' : 'sealed' }
  const given = written ?? (await generatedValue(session, spec, current, head !== undefined))
  if (given !== undefined) return { value: given, origin: 'plain' }
  const followed = await followedValue(session, project, object)
  if (followed !== undefined) {
    const before = current === undefined ? undefined : followedBy(current.object)
    const stays = before === followedBy(object) && head !== undefined
    return { value: followed.value, origin: stays ? 'stored' : 'elsewhere', since: followed.since }
  }
  if (head === undefined) return undefined
  const stays = sameJson(placeOf(spec), placeOfEntry(head))
  if (stays && !changesRule(spec, current)) return undefined
  const [opened] = await openHeads(session, project.uid, [head])
  return opened && { value: opened.value, origin: 'stored' }
}

const entryOf = (
  object: KubeObject,
  more: { version: number; bytes: number; digest: string; references: SetEntry['references'] },
): SetEntry => {
  const { key, scope, type, file } = specOf(object)
  const stagelet = stageletIn(specOf(object))
  const { version, bytes, digest, references } = more
  return {
    secretId: object.metadata.uid ?? '',
    name: object.metadata.name,
    version,
    key,
    scope,
    type,
    ...(stagelet === undefined ? {} : { stagelet }),
    ...(file === undefined ? {} : { file }),
    bytes,
    valueDigest: digest,
    ...(references === undefined ? {} : { references }),
  }
}

/** The secret is new, or comes to another place. */
const isElsewhere = (spec: SecretSpec, current: StoredRow | undefined): boolean =>
  current === undefined || !sameJson(placeOf(spec), placeOf(specOf(current.object)))

const checkGiven = (
  session: WriteSession,
  object: KubeObject,
  { current, putBack }: { current: StoredRow | undefined; putBack: FoundValue | undefined },
): void => {
  if (current !== undefined) checkImmutable(object, current.object)
  if (putBack !== undefined) return
  checkEndOf(session, object, current)
  checkFetchedDisclosure(session, object, current)
}

/**
 * Everything that must hold before a secret is stored. `object` has its uid; `current` is what is
 * stored now; `putBack` is an old value that comes back, whatever the spec says. Changes nothing yet.
 */
export const prepareSecret = async (
  session: WriteSession,
  object: KubeObject,
  current: StoredRow | undefined,
  putBack?: FoundValue,
): Promise<PreparedSecret> => {
  const spec = specOf(object)
  const uid = object.metadata.uid ?? ''
  checkGiven(session, object, { current, putBack })
  const project = await projectOfSecret(session, object)
  const stripped = stripValue(object)
  if (isElsewhere(spec, current)) checkNeighbours(session, stripped)
  const before = current === undefined ? undefined : session.head(uid)
  checkAudience(session, stripped, before)
  const found = putBack ?? (await findValue(session, project, object, { head: before, current }))
  if (found === undefined) return { object: stripped, version: undefined, before, project }

  const { value, origin, since } = found
  checkDisclosure(session, object, { origin, current })
  const faults = checkValue(spec, value)
  if (faults.length > 0) throw invalid(refOf(object), faults)
  const { key, type, file } = spec
  const references = referencesOf(spec, value)
  const refers = references !== undefined
  if (refers && before?.references === undefined) checkNotFollowed(session, stripped)
  const digest = valueDigest(project.digestKey, { type, key, value, file, refers })
  const sameValue = before?.valueDigest === digest
  if (before !== undefined && sameValue && sameJson(placeOf(spec), placeOfEntry(before))) {
    const learnt = withLearntEnd(stripped, found, { isTemplate: refers })
    const object = learnt ?? stripped
    return { object, version: undefined, before, project, learns: learnt !== undefined }
  }
  await confirmRing(session, projectRing(session, project))
  const version = lastVersion(session, uid) + 1
  const entry = entryOf(object, { version, bytes: value.length, digest, references })
  const keeps = origin === 'stored' || sameValue
  const given = { value, origin, since: keeps ? (sinceOf(current) ?? since) : since }
  return {
    object: stripped,
    version: { entry, keeps, isGiven: !keeps && putBack === undefined, ...given },
    before,
    project,
  }
}
