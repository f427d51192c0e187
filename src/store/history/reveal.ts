// Opens values for a person. Each one is audited in the same transaction: no audit, no value.
import type { ObjectRef } from '../../resources/meta.ts'
import type { LaidOut } from '../../secrets/environment-set.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import { auditReads } from '../audit/reads.ts'
import type { ReadWay } from '../core/history.ts'
import { projectRefOf } from '../../resources/project-ref.ts'
import type { ProjectState } from '../core/project-state.ts'
import type { WriteSession } from '../core/write-session.ts'
import { openHead, type HeadSelection } from '../secrets/sets.ts'
import type { OpenedEntry } from '../core/sets.ts'
import type { RevealedOne, RevealedSet } from '../core/history.ts'
import { StagelyError } from '../../kernel/errors.ts'
import { checkReveal } from '../places/check-place.ts'
import { finderIn, narrowingFor, seesVersion } from '../places/places.ts'
import { requireProjectState } from '../secrets/projects.ts'
import { atPlaceOf } from './restore.ts'
import { openVersion } from './versions.ts'

const noteReads = (
  session: WriteSession,
  project: ProjectState,
  { way, entries }: { way: ReadWay; entries: readonly ProjectEntry[] },
): void => {
  const { namespace, name } = project.ref
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
  for (const { name } of read) {
    const row = session.fetch({ kind: 'StagelySecret', namespace: project.ref.namespace, name })
    if (row !== undefined) checkReveal(session, row.object)
  }
  noteReads(session, project, { way, entries: read })
  return opened
}

/** See Store.revealSecret. */
export const revealSecret = async (
  session: WriteSession,
  ref: ObjectRef,
  { version, asWritten, way = 'reveal' }: RevealedOne,
): Promise<OpenedEntry> => {
  const row = session.require(ref)
  checkReveal(session, row.object)
  const project = await requireProjectState(session, projectRefOf(row.object))
  if (version !== undefined) {
    const what = { secretUid: row.uid, version }
    const opened = session.deferred.result('version to reveal', () =>
      openVersion(session, project, what, session.deps.sql),
    )
    // Where it counted then, too.
    checkReveal(session, atPlaceOf(opened, row.object))
    noteReads(session, project, { way, entries: [opened] })
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
