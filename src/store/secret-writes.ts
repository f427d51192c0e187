// Admission of StagelySecrets: a value comes in by the spec, is digested and sealed, and is gone
// from the object before anything is stored.
import type { Fault } from '../kernel/errors.ts'
import { cleanLastApplied } from '../resources/last-applied.ts'
import { annotations, refOf, type KubeObject } from '../resources/meta.ts'
import { checkValue, valueFields } from '../resources/secret-value.ts'
import type { SecretSpec } from '../resources/stagelysecret.ts'
import { seal, valueAad } from '../secrets/aead.ts'
import { valueDigest } from '../secrets/digest.ts'
import type { SetEntry } from '../secrets/visible.ts'
import { sameJson } from './canonical.ts'
import { invalid } from './errors.ts'
import { confirmRing, projectRing } from './keys/project-ring.ts'
import { changeHead, dataKeyOf, ensureProject, type ProjectState } from './projects.ts'
import { projectOf } from './project-ref.ts'
import { checkNeighbours } from './secret-neighbours.ts'
import type { StoredRow, WriteSession } from './session.ts'
import { followedBy, followedValue } from './values/followers.ts'
import { generatedValue, writtenValue } from './values/given.ts'
import { changesRule, checkMayJudge, type FoundValue } from './values/judged.ts'
import { checkNotFollowed, referencesOf } from './values/references.ts'
import { lastVersion, loadHeadRow, openHeadRow } from './secret-versions.ts'
import { toEntry, type SealedRow } from './sets.ts'

export interface NewVersion extends FoundValue {
  readonly entry: SetEntry
}

/** The object as it will be stored, and the version that goes with it. */
export interface PreparedSecret {
  readonly object: KubeObject
  /** Entry and bytes of a new version; undefined when value and place are as before. */
  readonly version: NewVersion | undefined
  /** What is current until then. */
  readonly before: SetEntry | undefined
  readonly project: ProjectState
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
export const stripValue = (object: KubeObject): KubeObject => {
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

/** Compares digests: the stored value is not opened. */
export const holdsValue = async (session: WriteSession, object: KubeObject): Promise<boolean> => {
  const value = await writtenValue(session, object)
  const row = value === undefined ? undefined : await session.fetch(refOf(object))
  if (value === undefined || row === undefined) return false
  const head = await loadHeadRow(session, row.uid)
  if (head === undefined) return false
  const project = await projectOfSecret(session, row.object)
  const { key, type, file, valueDigest: stored } = toEntry(head)
  const refers = specOf(object).references === true
  return valueDigest(project.digestKey, { type, key, value, file, refers }) === stored
}

const placeOf = (spec: SecretSpec): unknown => [
  spec.scope,
  spec.type,
  spec.stageletRef?.name,
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
  { head, current }: { head: SealedRow | undefined; current: StoredRow | undefined },
): Promise<FoundValue | undefined> => {
  const spec = specOf(object)
  const written = await writtenValue(session, object)
  if (written !== undefined && spec.sealedValue !== undefined)
    return { value: written, origin: (await holdsValue(session, object)) ? 'kept' : 'sealed' }
  const given = written ?? (await generatedValue(session, spec, current, head !== undefined))
  if (given !== undefined) return { value: given, origin: 'given' }
  const followed = await followedValue(session, project, object)
  if (followed !== undefined) {
    const before = current === undefined ? undefined : followedBy(current.object)
    const stays = before === followedBy(object) && head !== undefined
    return { value: followed, origin: stays ? 'kept' : 'elsewhere' }
  }
  if (head === undefined) return undefined
  const stays = sameJson(placeOf(spec), placeOfEntry(toEntry(head)))
  if (stays && !changesRule(spec, current)) return undefined
  return { value: await openHeadRow(session, project.uid, head), origin: 'kept' }
}

const entryOf = (
  object: KubeObject,
  more: { version: number; bytes: number; digest: string; references: SetEntry['references'] },
): SetEntry => {
  const { key, scope, type, file, stageletRef } = specOf(object)
  const { version, bytes, digest, references } = more
  return {
    secretId: object.metadata.uid ?? '',
    name: object.metadata.name,
    version,
    key,
    scope,
    type,
    ...(stageletRef === undefined ? {} : { stagelet: stageletRef.name }),
    ...(file === undefined ? {} : { file }),
    bytes,
    valueDigest: digest,
    ...(references === undefined ? {} : { references }),
  }
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
  if (current !== undefined) checkImmutable(object, current.object)
  const isNew = current === undefined && putBack === undefined
  const project = await projectOfSecret(session, object)
  const stripped = stripValue(object)
  if (current === undefined || !sameJson(placeOf(spec), placeOf(specOf(current.object)))) {
    await checkNeighbours(session, stripped)
  }
  const head = current === undefined ? undefined : await loadHeadRow(session, uid)
  const before = head === undefined ? undefined : toEntry(head)
  const found = putBack ?? (await findValue(session, project, object, { head, current }))
  if (found === undefined) return { object: stripped, version: undefined, before, project }

  const { value, origin } = found
  checkMayJudge(session, object, { origin, current })
  const faults = checkValue(spec, value)
  if (faults.length > 0) throw invalid(refOf(object), faults)
  const { key, type, file } = spec
  const references = referencesOf(spec, value)
  if (references !== undefined && before?.references === undefined)
    await checkNotFollowed(session, stripped)
  const refers = references !== undefined
  const digest = valueDigest(project.digestKey, { type, key, value, file, refers })
  const sameValue = before?.valueDigest === digest
  if (before !== undefined && sameValue && sameJson(placeOf(spec), placeOfEntry(before))) {
    return { object: stripped, version: undefined, before, project }
  }
  await confirmRing(session, projectRing(session, project))
  const version = (isNew ? 0 : await lastVersion(session, uid, head)) + 1
  const entry = entryOf(object, { version, bytes: value.length, digest, references })
  return { object: stripped, version: { entry, value, origin }, before, project }
}

const insertSql = `
INSERT INTO secret_versions (secret_uid, version, project_uid, from_revision, name, key, scope, stagelet,
  type, file, sealed, data_key_id, value_digest, bytes, created_at, created_by, refs)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::json, $11, $12, $13, $14, $15, $16, $17::json)`

/** Seals the new version into the open revision. */
export const storeVersion = async (
  session: WriteSession,
  project: ProjectState,
  { entry, value }: { entry: SetEntry; value: Buffer },
): Promise<void> => {
  await changeHead(session, project, entry.secretId, entry)
  project.refers ||= entry.references !== undefined
  const dataKey = await dataKeyOf(session, project)
  const { secretId, key, scope, type, version } = entry
  const aad = valueAad({ projectUid: project.uid, secretId, key, scope, type, version })
  if (version > 1) await endVersion(session, project, secretId)
  await session.send(insertSql, [
    secretId,
    version,
    project.uid,
    project.closed + 1,
    entry.name,
    key,
    scope,
    entry.stagelet ?? null,
    type,
    entry.file === undefined ? null : JSON.stringify(entry.file),
    seal(dataKey, value, aad),
    dataKey.id,
    entry.valueDigest,
    entry.bytes,
    session.nowMs,
    session.actor.name,
    entry.references === undefined ? null : JSON.stringify(entry.references),
  ])
}

/** Ends the head version at the open revision. */
const endVersion = async (
  session: WriteSession,
  project: ProjectState,
  secretUid: string,
): Promise<void> => {
  await session.send(
    'UPDATE secret_versions SET to_revision = $2, ended_by = $3 WHERE secret_uid = $1 AND to_revision IS NULL',
    [secretUid, project.closed + 1, session.actor.name],
  )
}

/** Takes a deleted secret out of the head set; returns what it was, if it ever had a value. */
export const endSecret = async (
  session: WriteSession,
  project: ProjectState,
  secretUid: string,
): Promise<SetEntry | undefined> => {
  const head = await loadHeadRow(session, secretUid)
  if (head === undefined) return undefined
  await changeHead(session, project, secretUid, undefined)
  await endVersion(session, project, secretUid)
  const entry = toEntry(head)
  session.touched.push({ project, entry, why: 'moved' })
  return entry
}
