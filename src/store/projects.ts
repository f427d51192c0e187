// What a Project object does not show: its keys, its open revision and the MAC of its head set. A row
// begins with the Project or with the first secret that names it, and ends when neither is left (ADR 0044).
import { randomUUID } from 'node:crypto'
import { refOf, type KubeObject, type ObjectRef } from '../resources/meta.ts'
import { createProjectKeys, type NewProjectKeys } from '../secrets/project-keys.ts'
import type { KeyBytes, SealKey } from '../secrets/aead.ts'
import { SetLines } from '../secrets/set-lines.ts'
import type { SetEntry } from '../secrets/visible.ts'
import { setTampered } from './errors.ts'
import type { SessionReads } from './session-reads.ts'
import type { WriteSession } from './session.ts'
import { keyProviderOf, wantedRing } from './keys/project-ring.ts'
import { lineOf, linesOf, readSet } from './sets.ts'

type Place = Pick<ObjectRef, 'namespace' | 'name'>

/** Key of a project among those of a transaction. */
export const placeOf = ({ namespace, name }: Place): string => `${namespace}/${name}`

/** A row of `projects`, with the changes of this write on it. */
export interface ProjectState {
  readonly uid: string
  readonly ref: ObjectRef
  readonly digestKey: KeyBytes
  /** Seals new versions: see dataKeyOf. Undefined where it has to be read anew. */
  dataKey: SealKey | undefined
  /** Name of the key that wraps its keys; undefined: the master key. */
  keyProvider: string | undefined
  /** Newest closed revision; new versions get this + 1. */
  closed: number
  openedAt: number | undefined
  lastWriteAt: number | undefined
  /** Change sets that hold the revision open, with the time (ms) that each one does. */
  changeSets: Record<string, number>
  headMac: string
  /** MAC lines of the head set; loaded when first needed. */
  lines: SetLines | undefined
  /** Some secret of the head set refers to others. */
  refers: boolean
  /** From then on (ms) nothing new is expected to arrive that belongs together with what came last. */
  quietAt: number
  /** The row lags behind. */
  changed: boolean
}

/**
 * Lines of head sets by project. An entry counts only while its MAC is the one in the database, so
 * a rolled back write or another replica's can never leave a wrong one behind.
 */
export type HeadCache = Map<string, { readonly mac: string; readonly lines: SetLines }>

interface ProjectRow {
  uid: string
  namespace: string
  name: string
  digest_key: string
  key_provider: string | null
  revision: number
  opened_at: number | null
  last_write_at: number | null
  change_sets: string
  head_mac: string
  quiet_at: number
  data_key_id: string
  wrapped: string
  refers: boolean
}

const loadSql = `
SELECT p.uid, p.namespace, p.name, p.digest_key, p.key_provider, p.revision, p.opened_at, p.last_write_at, p.change_sets,
  p.head_mac, p.quiet_at, k.id AS data_key_id, k.wrapped, EXISTS (
    SELECT 1 FROM secret_versions v WHERE v.project_uid = p.uid AND v.to_revision IS NULL AND v.refs IS NOT NULL
  ) AS refers
FROM projects p JOIN data_keys k ON k.project_uid = p.uid AND k.retired_at IS NULL
WHERE p.namespace = $1 AND p.name = $2`

export const loadProject = async (
  session: WriteSession,
  ref: Place,
): Promise<ProjectState | undefined> => {
  const place = placeOf(ref)
  const known = session.loaded.get(place)
  if (known !== undefined) return known
  const earlier = session.destroyed.has(place) ? undefined : session.pending.get(place)
  const state = earlier === undefined ? await readState(session, ref) : forkOf(earlier)
  if (state !== undefined) session.loaded.set(place, state)
  return state
}

/** Its row, for a loadProject() to come. */
export const readProject = (
  reads: SessionReads,
  { namespace, name }: Place,
): Promise<ProjectRow[]> => reads.read<ProjectRow>(loadSql, [namespace, name])

const readState = async (
  session: WriteSession,
  place: Place,
): Promise<ProjectState | undefined> => {
  const [row] = await readProject(session, place)
  if (row === undefined) return undefined
  const { uid } = row
  const { keys } = session.deps
  const [digestKey, dataKey] = await Promise.all([
    keys.digestKey(uid, row.digest_key),
    keys.dataKey(uid, row.data_key_id, row.wrapped),
  ])
  return {
    uid,
    ref: { kind: 'Project', namespace: row.namespace, name: row.name },
    digestKey,
    dataKey,
    keyProvider: row.key_provider ?? undefined,
    closed: row.revision,
    openedAt: row.opened_at ?? undefined,
    lastWriteAt: row.last_write_at ?? undefined,
    changeSets: JSON.parse(row.change_sets) as Record<string, number>,
    headMac: row.head_mac,
    lines: undefined,
    refers: row.refers,
    quietAt: row.quiet_at,
    changed: false,
  }
}

/** What seals a new version of the project. */
export const dataKeyOf = async (
  { tx, deps }: WriteSession,
  project: ProjectState,
): Promise<SealKey> => {
  if (project.dataKey !== undefined) return project.dataKey
  const [row] = await tx.query<{ id: string; wrapped: string }>(
    'SELECT id, wrapped FROM data_keys WHERE project_uid = $1 AND retired_at IS NULL',
    [project.uid],
  )
  if (row === undefined) throw setTampered(project.uid)
  project.dataKey = await deps.keys.dataKey(project.uid, row.id, row.wrapped)
  return project.dataKey
}

/** For one more write: what it changes can be taken back without touching `state`. */
const forkOf = (state: ProjectState): ProjectState => ({
  ...state,
  changeSets: { ...state.changeSets },
})

/** The keys of a project that is about to be made, and its uid, which they are wrapped for. */
interface MadeKeys {
  readonly uid: string
  readonly keys: NewProjectKeys
}

/** Wraps them while no other writer waits. ServiceUnavailable where their key does not answer. */
const makeProjectKeys = (session: WriteSession, object: KubeObject): Promise<MadeKeys> => {
  const ring = wantedRing(session, object)
  const { namespace, name } = refOf(object)
  const number = (session.newProjects += 1)
  return session.preparations.soon(
    `keys of new project ${number}, ${namespace}/${name} by ${keyProviderOf(object) ?? ''}`,
    async () => {
      await ring.confirm()
      const uid = randomUUID()
      return { uid, keys: await createProjectKeys(ring, uid) }
    },
  )
}

/** The keys live and die with the row. */
const insertProject = async (
  session: WriteSession,
  object: KubeObject,
  { uid, keys }: MadeKeys,
): Promise<void> => {
  const provider = wantedRing(session, object)
  const ref = refOf(object)
  await session.send(
    `WITH project AS (
       INSERT INTO projects (uid, namespace, name, digest_key, revision, head_mac, key_provider, quiet_at)
       VALUES ($1, $2, $3, $4, 0, $5, $11, $12)
     )
     INSERT INTO data_keys (id, project_uid, provider, provider_key_id, wrapped, created_at)
     VALUES ($6, $1, $7, $8, $9, $10)`,
    [
      uid,
      ref.namespace,
      ref.name,
      keys.wrappedDigestKey,
      SetLines.of([]).mac(keys.digestKey, 1),
      keys.dataKey.id,
      provider.name,
      provider.keyId,
      keys.dataKey.wrapped,
      session.nowMs,
      keyProviderOf(object) ?? null,
      session.nowMs + arrivalMs,
    ],
  )
}

/**
 * The row that a new Project object, or the first secret that names it, works with. Where only secrets
 * have named it so far, the Project takes up what they began: its uid, which values are bound to, and its sets.
 */
export const ensureProject = async (
  session: WriteSession,
  object: KubeObject,
): Promise<ProjectState> => {
  const ref = refOf(object)
  const known = await loadProject(session, ref)
  if (known !== undefined) return known
  await insertProject(session, object, await makeProjectKeys(session, object))
  const made = await loadProject(session, ref)
  if (made === undefined) throw new Error('the row of a new project is missing')
  return made
}

/** What belongs together comes within this time of each other. */
const arrivalMs = 2_000

/** Something of the project has arrived: more may follow. */
export const noteArrival = (session: WriteSession, project: ProjectState): void => {
  project.quietAt = session.nowMs + arrivalMs
  project.changed = true
}

type Saving = Pick<WriteSession, 'tx' | 'deps'>

const loadLines = async (session: Saving, project: ProjectState): Promise<SetLines> => {
  const { heads, keys } = session.deps
  const cached = heads.get(project.uid)
  if (cached?.mac === project.headMac) return cached.lines
  return linesOf((await readSet(session.tx, keys, project.uid, 'head')).entries)
}

/**
 * Notes that the head set of the project changes: `entry` takes the place of the secret's old one,
 * undefined takes it out. Call before the rows of this change are written: the set is checked first,
 * so that rows changed outside Stagely never get a good MAC.
 */
export const changeHead = async (
  session: WriteSession,
  project: ProjectState,
  secretId: string,
  entry: SetEntry | undefined,
): Promise<void> => {
  session.projects.set(placeOf(project.ref), project)
  const lines = project.lines ?? (await loadLines(session, project))
  project.changed = true
  project.lines = lines.with(secretId, entry === undefined ? undefined : lineOf(entry))
}

/** Writes the row with the MAC of the head as it is now. */
export const saveProject = async (session: Saving, project: ProjectState): Promise<void> => {
  project.lines ??= await loadLines(session, project)
  const lines = project.lines
  project.headMac = lines.mac(project.digestKey, project.closed + 1)
  const rows = await session.tx.query(
    `UPDATE projects SET revision = $2, opened_at = $3, last_write_at = $4, change_sets = $5::json, head_mac = $6,
       quiet_at = $7 WHERE uid = $1 RETURNING uid`,
    [
      project.uid,
      project.closed,
      project.openedAt ?? null,
      project.lastWriteAt ?? null,
      JSON.stringify(project.changeSets),
      project.headMac,
      project.quietAt,
    ],
  )
  if (rows.length !== 1) throw setTampered(project.uid)
  project.changed = false
  session.deps.heads.set(project.uid, { mac: project.headMac, lines })
}
