// Opens values for a person. Each one is audited in the same transaction: no audit, no value.
import type { KubeObject, ObjectRef } from '../../resources/meta.ts'
import type { LaidOut } from '../../secrets/environment-set.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import { checkGrants } from './reveal-guard.ts'
import { auditReads } from './reads.ts'
import type { ReadWay } from '../core/history.ts'
import { projectRefOf } from '../../resources/project-ref.ts'
import type { ProjectState } from '../core/project-state.ts'
import type { WriteSession } from '../core/write-session.ts'
import { openHead, type HeadSelection } from '../secrets/sets.ts'
import type { OpenedEntry } from '../core/sets.ts'
import type { RevealedOne, RevealedSet } from '../core/history.ts'
import { StagelyError } from '../../kernel/errors.ts'
import { checkReveal } from '../places/check-place.ts'
import { checkSeen, finderIn, narrowingFor } from '../places/places.ts'
import { checkVersion, seesVersion, type PlacedVersion } from '../places/version-places.ts'
import { requireProjectState } from '../secrets/projects.ts'
import { atPlaceOf } from './restore.ts'
import { openVersion } from './versions.ts'

const none: ReadonlyMap<string, string> = new Map()

/** Refuses what may not leave to the actor, and audits the rest. `objects` are the secrets, where their values count. */
const noteReads = async (
  session: WriteSession,
  project: ProjectState,
  {
    way,
    entries,
    objects,
  }: {
    way: ReadWay
    entries: readonly (ProjectEntry & PlacedVersion)[]
    objects: readonly KubeObject[]
  },
): Promise<void> => {
  const { namespace, name } = project.ref
  // What is looked for by its value leaves to nobody.
  const requests = way === 'where' ? none : await checkGrants(session, project, entries)
  for (const object of objects)
    checkReveal(session, object, { isGranted: requests.has(object.metadata.uid ?? '') })
  for (const entry of entries)
    checkVersion(session, project, entry, { isGranted: requests.has(entry.secretId) })
  auditReads(
    session,
    way,
    entries.map((e) => ({
      ref: { kind: 'StagelySecret', namespace, name: e.name },
      uid: e.secretId,
      project: name,
      key: e.key,
      scope: e.scope,
      version: e.version,
      request: requests.get(e.secretId),
    })),
  )
}

/** What a narrowed actor sees of it, as a stagelet of an environment in view sees it. */
const narrowedOpening = (
  { actor, view }: Pick<WriteSession, 'actor' | 'view'>,
  project: ObjectRef,
  { choose, ...opening }: HeadSelection,
): HeadSelection => {
  const find = finderIn(view)
  const narrowing = narrowingFor(actor, find(project))
  if (narrowing === undefined) return { choose, ...opening }
  const [environment] = narrowing.environments ?? []
  return {
    viewer: environment === undefined ? undefined : { environment },
    ...opening,
    choose: (set) => choose(set).filter((entry) => seesVersion(narrowing, entry, project, find)),
  }
}

/** See Store.revealSet. */
export const revealSet = async (
  session: WriteSession,
  ref: ObjectRef,
  { way, ...opening }: RevealedSet,
): Promise<OpenedEntry[]> => {
  const project = await requireProjectState(session, ref)
  const { sql, keys } = session.deps
  const inView = narrowedOpening(session, project.ref, opening)
  const { opened, read } = session.deferred.result('set to reveal', () =>
    openHead(sql, keys, project.uid, inView),
  )
  // Also what an opened value refers to.
  const objects = read.flatMap(({ name }) => {
    const row = session.fetch({ kind: 'StagelySecret', namespace: project.ref.namespace, name })
    return row === undefined ? [] : [row.object]
  })
  await noteReads(session, project, { way, entries: read, objects })
  return opened
}

/** See Store.revealSecret. */
export const revealSecret = async (
  session: WriteSession,
  ref: ObjectRef,
  { version, asWritten, way = 'reveal' }: RevealedOne,
): Promise<OpenedEntry> => {
  const row = session.require(ref)
  checkSeen(session.actor, row.object, finderIn(session.view))
  const project = await requireProjectState(session, projectRefOf(row.object))
  if (version !== undefined) {
    const what = { secretUid: row.uid, version }
    const opened = session.deferred.result('version to reveal', () =>
      openVersion(session, project, what, session.deps.sql),
    )
    // Where it counted then, too.
    const objects = [row.object, atPlaceOf(opened, row.object)]
    await noteReads(session, project, { way, entries: [opened], objects })
    return opened
  }
  const choose = ({ entries }: LaidOut): readonly ProjectEntry[] =>
    entries.filter((entry) => entry.secretId === row.uid)
  const [opened] = await revealSet(session, project.ref, { way, choose, asWritten })
  if (opened === undefined) {
    throw new StagelyError('NotFound', `secret "${ref.name}" has no value yet: give it one first`)
  }
  return opened
}
