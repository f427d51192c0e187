// Opens values for a person. Each one is audited in the same transaction: no audit, no value.
import type { ObjectRef } from '../../resources/meta.ts'
import type { LaidOut } from '../../secrets/environment-set.ts'
import type { ProjectEntry } from '../../secrets/set-entry.ts'
import { auditReads } from '../audit/reads.ts'
import type { ReadWay } from '../core/history.ts'
import { projectRefOf } from '../../resources/project-ref.ts'
import type { ProjectState } from '../core/project-state.ts'
import type { WriteSession } from '../core/write-session.ts'
import { openHead } from '../secrets/sets.ts'
import type { OpenedEntry } from '../core/sets.ts'
import type { RevealedOne, RevealedSet } from '../core/history.ts'
import { StagelyError } from '../../kernel/errors.ts'
import { checkProtected } from '../places/protection.ts'
import { requireProjectState } from '../secrets/projects.ts'
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

/** See Store.revealSet. */
export const revealSet = async (
  session: WriteSession,
  ref: ObjectRef,
  { way, ...opening }: RevealedSet,
): Promise<OpenedEntry[]> => {
  const project = await requireProjectState(session, ref)
  const { sql, keys } = session.deps
  const { opened, read } = session.deferred.result('set to reveal', () =>
    openHead(sql, keys, project.uid, opening),
  )
  // Also what an opened value refers to.
  for (const { name } of read) {
    const row = session.fetch({ kind: 'StagelySecret', namespace: project.ref.namespace, name })
    if (row !== undefined) checkProtected(session.actor, { before: row.object }, session.view)
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
  checkProtected(session.actor, { before: row.object }, session.view)
  const project = await requireProjectState(session, projectRefOf(row.object))
  if (version !== undefined) {
    const what = { secretUid: row.uid, version }
    const opened = session.deferred.result('version to reveal', () =>
      openVersion(session, project, what, session.deps.sql),
    )
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
